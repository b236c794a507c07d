//! Decisions in PostgreSQL.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tokio_postgres::Row;

use super::known::{store_known, with_known};
use super::link::{Session, Value};
use super::listen::CHANNEL;
use super::{Lock, Postgres, copy};
use crate::base::{Moment, Recorded};
use crate::store::records::{
    Bind, CodeError, DECISION_COLUMNS, DecisionColumns, DecisionQuery, DecisionRow, Dialect, Group, Names, Page,
    Position, RecordsError, Scan, Select, column, page_of, select_decisions,
};

/// Each column comes as one list; the countries are read out of the verdicts by the database.
const INSERT: &str = "WITH inserted AS ( \
       INSERT INTO decisions (decision_id, at, partner_id, product_id, image, model, version, revision, policy, strictest, label, source, \
         verdicts, body) \
       SELECT decision_id, at, partner_id, product_id, image, model, version, revision, policy, strictest, label, source, verdicts, body \
       FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::bigint[], $8::bytea[], $9::bytea[], \
         $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[]) WITH ORDINALITY AS asked (decision_id, at, partner_id, \
         product_id, image, model, version, revision, policy, strictest, label, source, verdicts, body, place) \
       ORDER BY place ON CONFLICT (decision_id) DO NOTHING RETURNING entry, at, verdicts \
     ), countries AS ( \
       INSERT INTO decision_countries (country, verdict, at, entry) \
       SELECT split_part(pair, '=', 1), split_part(pair, '=', 2), at, entry \
       FROM inserted, UNNEST(string_to_array(verdicts, ' ')) pair ON CONFLICT DO NOTHING \
     ) SELECT count(*) FROM inserted";

impl Postgres {
    pub async fn append(&self, group: &Group) -> Result<usize, RecordsError> {
        let mut session = self.recorder.session().await?;
        session.begin().await?;
        let new = insert(&mut session, &group.rows).await?;
        if !group.products.is_empty() {
            // Last, so that others wait for as short a time as can be.
            session.lock(Lock::Products).await?;
            let before = with_known(&mut session, &group.products).await?;
            let change = store_known(&mut session, &group.changed(before)).await?;
            if let Some(change) = change {
                notify(&mut session, "change", change).await?;
            }
        }
        session.commit().await?;
        Ok(new)
    }

    pub async fn on_record(&self, decision_ids: Vec<String>) -> Result<BTreeSet<String>, RecordsError> {
        let columns: Vec<_> = decision_ids.iter().map(|id| column(id)).collect();
        let sql = "SELECT asked.place FROM UNNEST($1::text[]) WITH ORDINALITY AS asked (decision_id, place) \
                   WHERE EXISTS (SELECT 1 FROM decisions d WHERE d.decision_id = asked.decision_id)";
        let rows = self.reader().await?.query(sql, &[&columns]).await?;
        let places: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect();
        let found = decision_ids
            .into_iter()
            .zip(1..)
            .filter(|(_, place)| places.contains(place));
        Ok(found.map(|(id, _)| id).collect())
    }

    pub async fn decision(&self, decision_id: &str) -> Result<Option<Recorded>, RecordsError> {
        let sql = format!("SELECT {DECISION_COLUMNS} FROM decisions d WHERE d.decision_id = $1");
        let row = self.reader().await?.maybe(&sql, &[&column(decision_id)]).await?;
        let found = row.map(|row| read(&row, &mut Names::default())).transpose()?;
        Ok(found.map(|(_, recorded)| recorded))
    }

    pub async fn decisions(&self, query: &DecisionQuery) -> Result<Page<Recorded>, RecordsError> {
        let selects = select_decisions(query, Dialect::Postgres)?;
        let mut session = self.reader().await?;
        let mut found = Vec::new();
        let mut names = Names::default();
        for select in &selects {
            for row in session.select(select).await? {
                found.push(read(&row, &mut names)?);
            }
        }
        found.sort_by_key(|(position, _)| Reverse(*position));
        Ok(page_of(found, query.limit))
    }

    pub fn scan_decisions(&self, since: Moment, until: Moment) -> Scan<Recorded> {
        let select = format!(
            "SELECT {DECISION_COLUMNS} FROM decisions d WHERE d.at >= {} AND d.at < {} ORDER BY d.at, d.entry",
            since.micros(),
            until.micros()
        );
        let mut names = Names::default();
        copy::scan(&self.connector, select, move |tuple| {
            let columns = || {
                Ok::<_, CodeError>(DecisionColumns {
                    decision_id: tuple.text(0)?,
                    at: tuple.int(1)?,
                    partner_id: tuple.text(2)?,
                    product_id: tuple.text(3)?,
                    image: tuple.maybe_bytes(4)?,
                    model: tuple.text(5)?,
                    version: tuple.int(6)?,
                    revision: tuple.bytes(7)?,
                    policy: tuple.bytes(8)?,
                    verdicts: tuple.text(9)?,
                    body: tuple.bytes(10)?,
                })
            };
            let columns = columns().map_err(|error| RecordsError::corrupt("a decision", error))?;
            recorded(&columns, &mut names)
        })
    }
}

impl Session {
    /// Asks a question that was put together elsewhere.
    pub async fn select(&mut self, select: &Select) -> Result<Vec<Row>, RecordsError> {
        let values: Vec<Value<'_>> = select.binds.iter().map(value).collect();
        self.query(&select.sql, &values).await
    }
}

fn value(bind: &Bind) -> Value<'_> {
    match bind {
        Bind::Int(value) => value,
        Bind::Text(text) => text,
        Bind::Bytes(bytes) => bytes,
    }
}

/// Tells everyone, once the transaction is done.
pub(super) async fn notify(session: &mut Session, what: &str, number: u64) -> Result<(), RecordsError> {
    let payload = format!("{what} {number}");
    session.query("SELECT pg_notify($1, $2)", &[&CHANNEL, &payload]).await?;
    Ok(())
}

async fn insert(session: &mut Session, rows: &[DecisionRow]) -> Result<usize, RecordsError> {
    fn list<'a, T>(rows: &'a [DecisionRow], column: impl Fn(&'a DecisionRow) -> T) -> Vec<T> {
        rows.iter().map(column).collect()
    }
    let values: [Value<'_>; 14] = [
        &list(rows, |row| row.decision_id.as_str()),
        &list(rows, |row| row.at),
        &list(rows, |row| row.partner_id.as_str()),
        &list(rows, |row| row.product_id.as_str()),
        &list(rows, |row| row.image.as_ref().map(<[u8; 32]>::as_slice)),
        &list(rows, |row| row.model.as_str()),
        &list(rows, |row| row.version),
        &list(rows, |row| row.revision.as_slice()),
        &list(rows, |row| row.policy.as_slice()),
        &list(rows, |row| row.strictest),
        &list(rows, |row| row.label.as_deref()),
        &list(rows, |row| row.source),
        &list(rows, |row| row.verdicts.as_str()),
        &list(rows, |row| row.body.as_slice()),
    ];
    let new: i64 = session.one(INSERT, &values).await?.get(0);
    Ok(new as usize)
}

fn read(row: &Row, names: &mut Names) -> Result<(Position, Recorded), RecordsError> {
    let columns = DecisionColumns {
        decision_id: row.get(0),
        at: row.get(1),
        partner_id: row.get(2),
        product_id: row.get(3),
        image: row.get(4),
        model: row.get(5),
        version: row.get(6),
        revision: row.get(7),
        policy: row.get(8),
        verdicts: row.get(9),
        body: row.get(10),
    };
    let position = Position {
        at: columns.at,
        entry: row.get(11),
    };
    Ok((position, recorded(&columns, names)?))
}

fn recorded(columns: &DecisionColumns<'_>, names: &mut Names) -> Result<Recorded, RecordsError> {
    let recorded = columns.read(names);
    recorded.map_err(|error| RecordsError::corrupt(format!("decision {:?}", columns.decision_id), error))
}
