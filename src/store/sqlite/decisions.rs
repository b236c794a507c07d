//! Decisions in SQLite.

use std::collections::BTreeSet;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params_from_iter};

use super::Sqlite;
use super::fault::Fault;
use super::known::{store_known, with_known};
use super::writer::Durability;
use crate::base::{Moment, Recorded};
use crate::store::records::{
    Bind, DECISION_COLUMNS, DecisionColumns, DecisionQuery, DecisionRow, Dialect, Group, Names, Page, Position,
    RecordsError, Scan, Select, column, page_of, select_decisions,
};

const INSERT: &str = "INSERT INTO decisions (decision_id, at, partner_id, product_id, image, model, version, revision, policy, \
     strictest, label, source, verdicts, body) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (decision_id) DO NOTHING";

const INSERT_COUNTRY: &str =
    "INSERT OR IGNORE INTO decision_countries (country, verdict, at, entry) VALUES (?1, ?2, ?3, ?4)";

impl Sqlite {
    pub async fn append(&self, group: Group) -> Result<usize, RecordsError> {
        let write = move |transaction: &Transaction<'_>| {
            let new = insert(transaction, &group.rows)?;
            let before = with_known(transaction, &group.products)?;
            let change = store_known(transaction, &group.changed(before))?;
            Ok((new, change))
        };
        let (new, change) = self.records.writer.write(Durability::System, write).await?;
        if let Some(change) = change {
            self.hints.change(change);
        }
        Ok(new)
    }

    pub async fn on_record(&self, decision_ids: Vec<String>) -> Result<BTreeSet<String>, RecordsError> {
        let ask = move |connection: &Connection| {
            let mut found = BTreeSet::new();
            for id in decision_ids {
                let sql = "SELECT 1 FROM decisions WHERE decision_id = ?1";
                if maybe(connection, sql, [column(&id)], |row| row.get::<_, i64>(0))?.is_some() {
                    found.insert(id);
                }
            }
            Ok(found)
        };
        self.records.readers.read(ask).await
    }

    pub async fn decision(&self, decision_id: &str) -> Result<Option<Recorded>, RecordsError> {
        let id = column(decision_id).into_owned();
        let ask = move |connection: &Connection| {
            let sql = format!("SELECT {DECISION_COLUMNS} FROM decisions d WHERE d.decision_id = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([&id])?;
            let found = rows.next()?.map(|row| read(row, &mut Names::default())).transpose()?;
            Ok(found.map(|(_, recorded)| recorded))
        };
        self.records.readers.read(ask).await
    }

    pub async fn decisions(&self, query: &DecisionQuery) -> Result<Page<Recorded>, RecordsError> {
        let selects = select_decisions(query, Dialect::Sqlite)?;
        let limit = query.limit;
        let ask = move |connection: &Connection| {
            // One view of the database for all the questions.
            let view = connection.unchecked_transaction()?;
            let mut found = Vec::new();
            for select in &selects {
                found.extend(ask_decisions(&view, select)?);
            }
            found.sort_by_key(|(position, _)| std::cmp::Reverse(*position));
            Ok(page_of(found, limit))
        };
        self.records.readers.read(ask).await
    }

    pub fn scan_decisions(&self, since: Moment, until: Moment) -> Scan<Recorded> {
        self.records.readers.scan(move |connection, sender| {
            let sql = format!(
                "SELECT {DECISION_COLUMNS} FROM decisions d INDEXED BY decisions_by_at WHERE d.at >= ?1 AND d.at < ?2 \
                 ORDER BY d.at, d.entry"
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([since.micros(), until.micros()])?;
            let mut names = Names::default();
            while let Some(row) = rows.next()? {
                let (_, recorded) = read(row, &mut names)?;
                if sender.send(recorded).is_err() {
                    break;
                }
            }
            Ok(())
        })
    }
}

fn insert(transaction: &Transaction<'_>, rows: &[DecisionRow]) -> Result<usize, Fault> {
    let mut decision = transaction.prepare_cached(INSERT)?;
    let mut country = transaction.prepare_cached(INSERT_COUNTRY)?;
    let mut new = 0;
    for row in rows {
        let inserted = decision.execute(rusqlite::params![
            row.decision_id,
            row.at,
            row.partner_id,
            row.product_id,
            row.image,
            row.model,
            row.version,
            row.revision,
            row.policy,
            row.strictest,
            row.label,
            row.source,
            row.verdicts,
            row.body,
        ])?;
        if inserted == 0 {
            continue;
        }
        new += 1;
        let entry = transaction.last_insert_rowid();
        for (name, verdict) in row.country_verdicts() {
            country.execute(rusqlite::params![name, verdict, row.at, entry])?;
        }
    }
    Ok(new)
}

fn ask_decisions(connection: &Connection, select: &Select) -> Result<Vec<(Position, Recorded)>, Fault> {
    let mut statement = connection.prepare_cached(&select.sql)?;
    let mut rows = statement.query(params_from_iter(&select.binds))?;
    let mut names = Names::default();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row, &mut names)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>, names: &mut Names) -> Result<(Position, Recorded), Fault> {
    let text = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    let bytes = |index: usize| row.get_ref(index)?.as_blob().map_err(rusqlite::Error::from);
    let columns = DecisionColumns {
        decision_id: text(0)?,
        at: row.get(1)?,
        partner_id: text(2)?,
        product_id: text(3)?,
        image: row.get_ref(4)?.as_blob_or_null().map_err(rusqlite::Error::from)?,
        model: text(5)?,
        version: row.get(6)?,
        revision: bytes(7)?,
        policy: bytes(8)?,
        verdicts: text(9)?,
        body: bytes(10)?,
    };
    let position = Position {
        at: columns.at,
        entry: row.get(11)?,
    };
    let recorded = columns.read(names);
    let recorded =
        recorded.map_err(|error| RecordsError::corrupt(format!("decision {:?}", columns.decision_id), error))?;
    Ok((position, recorded))
}

impl ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Int(value) => ToSqlOutput::from(*value),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// One row or none, of a statement that is kept ready.
pub(super) fn maybe<T>(
    connection: &Connection,
    sql: &str,
    binds: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Fault> {
    Ok(connection.prepare_cached(sql)?.query_row(binds, read).optional()?)
}
