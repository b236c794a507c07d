//! Acts and corrections in SQLite. The one writer is the lock that gives an act its place.

use rusqlite::{Connection, Row, Transaction, params, params_from_iter};

use super::Sqlite;
use super::decisions::maybe;
use super::fault::Fault;
use super::writer::Durability;
use crate::base::{Correction, Moment, Principal};
use crate::store::records::{
    Act, AskedAct, CorrectionRow, Deed, Found, RecordsError, Select, Step, column, read_correction, remembered_since,
};

const COLUMNS: &str = "seq, at, principal, kind, request_id, body";

impl Sqlite {
    pub async fn act(&self, asked: AskedAct) -> Result<Correction, RecordsError> {
        if self.records.writer.is_maintained() {
            return Err(RecordsError::Slow {
                reason: "its file is being written anew after an erasure".to_owned(),
            });
        }
        let write = move |transaction: &Transaction<'_>| match asked.decide(found(transaction, &asked)?)? {
            Step::Answer(correction) => Ok((*correction, None)),
            Step::Write { act, correction } => {
                insert(transaction, &act)?;
                put(transaction, &correction)?;
                Ok((*correction, Some(act.seq)))
            }
        };
        let (correction, seq) = self.records.writer.write(Durability::Disk, write).await?;
        if let Some(seq) = seq {
            self.hints.act(seq);
        }
        Ok(correction)
    }

    /// The last act of a person with a request, since a moment.
    pub async fn previous(&self, by: &Principal, request_id: &str, since: Moment) -> Result<Option<Act>, RecordsError> {
        let (by, request_id) = (by.clone(), request_id.to_owned());
        let ask = move |connection: &Connection| previous(connection, &by, &request_id, since);
        self.records.readers.read(ask).await
    }

    pub async fn acts_since(&self, seq: u64, limit: usize) -> Result<Vec<Act>, RecordsError> {
        let ask = move |connection: &Connection| {
            let sql = format!("SELECT {COLUMNS} FROM acts WHERE seq > ?1 ORDER BY seq LIMIT ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([seq as i64, limit as i64])?;
            let mut acts = Vec::new();
            while let Some(row) = rows.next()? {
                acts.push(read(row)?);
            }
            Ok(acts)
        };
        self.records.readers.read(ask).await
    }

    pub async fn last_seq(&self) -> Result<u64, RecordsError> {
        self.records.readers.read(last_seq).await
    }

    pub async fn correction(&self, correction_id: &str) -> Result<Option<Correction>, RecordsError> {
        let id = column(correction_id).into_owned();
        let ask = move |connection: &Connection| find(connection, &id);
        self.records.readers.read(ask).await
    }

    pub async fn corrections(&self, select: Select) -> Result<Vec<Correction>, RecordsError> {
        let ask = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&select.sql)?;
            let mut rows = statement.query(params_from_iter(&select.binds))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read_correction(
                    row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
                )?);
            }
            Ok(found)
        };
        self.records.readers.read(ask).await
    }
}

fn found(transaction: &Transaction<'_>, asked: &AskedAct) -> Result<Found, Fault> {
    Ok(Found {
        previous: previous(
            transaction,
            asked.author(),
            asked.request_id(),
            remembered_since(asked.at()),
        )?,
        correction: find(transaction, &column(asked.correction_id()))?,
        last_seq: last_seq(transaction)?,
    })
}

fn previous(connection: &Connection, by: &Principal, request_id: &str, since: Moment) -> Result<Option<Act>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM acts WHERE principal = ?1 AND request_id = ?2 AND at > ?3 ORDER BY seq DESC LIMIT 1"
    );
    let binds = params![by.as_str(), column(request_id), since.micros()];
    maybe(connection, &sql, binds, |row| Ok(read(row)))?.transpose()
}

pub(super) fn last_seq(connection: &Connection) -> Result<u64, Fault> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(seq) FROM acts")?
        .query_row((), |row| row.get(0))?;
    Ok(last.unwrap_or(0) as u64)
}

fn find(connection: &Connection, id: &str) -> Result<Option<Correction>, Fault> {
    let sql = "SELECT body FROM corrections WHERE correction_id = ?1";
    let body: Option<String> = maybe(connection, sql, [id], |row| row.get(0))?;
    Ok(body.map(|body| read_correction(&body)).transpose()?)
}

pub(super) fn insert(transaction: &Transaction<'_>, act: &Act) -> Result<(), Fault> {
    let row = act.deed.row();
    let mut statement = transaction.prepare_cached(
        "INSERT INTO acts (seq, at, principal, kind, request_id, about, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute(params![
        act.seq as i64,
        act.at.micros(),
        act.principal.as_str(),
        row.kind,
        act.request_id,
        row.about,
        row.body
    ])?;
    Ok(())
}

fn put(transaction: &Transaction<'_>, correction: &Correction) -> Result<(), Fault> {
    let row = CorrectionRow::new(correction);
    let mut statement = transaction.prepare_cached(
        "INSERT INTO corrections (seq, correction_id, partner_id, product_id, image, seen_image, author, created_at, expires_at, \
         revoked_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (seq) DO UPDATE SET revoked_at = excluded.revoked_at, body = excluded.body",
    )?;
    statement.execute(params![
        correction.seq as i64,
        row.correction_id,
        row.partner_id,
        row.product_id,
        row.image,
        row.seen_image,
        row.author,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.body
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Act, Fault> {
    let seq: i64 = row.get(0)?;
    let broken = |error: &dyn std::fmt::Display| RecordsError::corrupt(format!("act {seq}"), error);
    let principal: String = row.get(2)?;
    let (kind, body): (String, String) = (row.get(3)?, row.get(5)?);
    Ok(Act {
        seq: seq as u64,
        at: Moment::from_micros(row.get(1)?),
        principal: principal.parse().map_err(|error| broken(&error))?,
        request_id: row.get(4)?,
        deed: Deed::read(&kind, &body).map_err(|error| broken(&error))?,
    })
}
