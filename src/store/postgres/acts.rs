//! Acts and corrections in PostgreSQL. An act gets its place under a lock that ends with its transaction.

use tokio_postgres::Row;

use super::decisions::notify;
use super::link::Session;
use super::{Lock, Postgres};
use crate::base::{Correction, Moment, Principal};
use crate::store::records::{
    Act, AskedAct, CorrectionRow, Deed, Found, RecordsError, Select, Step, column, read_correction, remembered_since,
};

const COLUMNS: &str = "seq, at, principal, kind, request_id, body";

impl Postgres {
    pub async fn act(&self, asked: &AskedAct) -> Result<Correction, RecordsError> {
        let mut session = self.actor.session().await?;
        session.begin().await?;
        session.lock(Lock::Acts).await?;
        let step = asked.decide(found(&mut session, asked).await?);
        let (act, correction) = match step {
            Ok(Step::Write { act, correction }) => (act, correction),
            Ok(Step::Answer(correction)) => {
                session.roll_back().await?;
                return Ok(*correction);
            }
            Err(error) => {
                session.roll_back().await?;
                return Err(error);
            }
        };
        insert(&mut session, &act).await?;
        put(&mut session, &correction).await?;
        notify(&mut session, "act", act.seq).await?;
        session.commit().await?;
        self.hints.act(act.seq);
        Ok(*correction)
    }

    /// The last act of a person with a request, since a moment.
    pub async fn previous(&self, by: &Principal, request_id: &str, since: Moment) -> Result<Option<Act>, RecordsError> {
        let mut session = self.reader().await?;
        previous(&mut session, by, request_id, since).await
    }

    pub async fn acts_since(&self, seq: u64, limit: usize) -> Result<Vec<Act>, RecordsError> {
        let sql = format!("SELECT {COLUMNS} FROM acts WHERE seq > $1 ORDER BY seq LIMIT $2");
        let mut session = self.reader().await?;
        let rows = session.query(&sql, &[&(seq as i64), &(limit as i64)]).await?;
        rows.iter().map(read).collect()
    }

    pub async fn last_seq(&self) -> Result<u64, RecordsError> {
        let mut session = self.reader().await?;
        last_seq(&mut session).await
    }

    pub async fn correction(&self, correction_id: &str) -> Result<Option<Correction>, RecordsError> {
        let mut session = self.reader().await?;
        find(&mut session, correction_id).await
    }

    pub async fn corrections(&self, select: &Select) -> Result<Vec<Correction>, RecordsError> {
        let rows = self.reader().await?.select(select).await?;
        rows.iter().map(|row| read_correction(row.get(0))).collect()
    }
}

async fn found(session: &mut Session, asked: &AskedAct) -> Result<Found, RecordsError> {
    Ok(Found {
        previous: previous(
            session,
            asked.author(),
            asked.request_id(),
            remembered_since(asked.at()),
        )
        .await?,
        correction: find(session, asked.correction_id()).await?,
        last_seq: last_seq(session).await?,
    })
}

async fn previous(
    session: &mut Session,
    by: &Principal,
    request_id: &str,
    since: Moment,
) -> Result<Option<Act>, RecordsError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM acts WHERE principal = $1 AND request_id = $2 AND at > $3 ORDER BY seq DESC LIMIT 1"
    );
    let previous = session
        .maybe(&sql, &[&by.as_str(), &column(request_id), &since.micros()])
        .await?;
    previous.map(|row| read(&row)).transpose()
}

pub(super) async fn last_seq(session: &mut Session) -> Result<u64, RecordsError> {
    let last = session.one("SELECT coalesce(max(seq), 0) FROM acts", &[]).await?;
    let last: i64 = last.get(0);
    Ok(last as u64)
}

async fn find(session: &mut Session, correction_id: &str) -> Result<Option<Correction>, RecordsError> {
    let sql = "SELECT body FROM corrections WHERE correction_id = $1";
    let row = session.maybe(sql, &[&column(correction_id)]).await?;
    row.map(|row| read_correction(row.get(0))).transpose()
}

pub(super) async fn insert(session: &mut Session, act: &Act) -> Result<(), RecordsError> {
    let row = act.deed.row();
    session
        .execute(
            "INSERT INTO acts (seq, at, principal, kind, request_id, about, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &(act.seq as i64),
                &act.at.micros(),
                &act.principal.as_str(),
                &row.kind,
                &column(&act.request_id),
                &row.about,
                &row.body,
            ],
        )
        .await?;
    Ok(())
}

async fn put(session: &mut Session, correction: &Correction) -> Result<(), RecordsError> {
    let row = CorrectionRow::new(correction);
    session
        .execute(
            "INSERT INTO corrections (seq, correction_id, partner_id, product_id, image, seen_image, author, created_at, expires_at, \
             revoked_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (seq) DO UPDATE SET revoked_at = excluded.revoked_at, body = excluded.body",
            &[
                &(correction.seq as i64),
                &row.correction_id,
                &row.partner_id,
                &row.product_id,
                &row.image.as_ref().map(<[u8; 32]>::as_slice),
                &row.seen_image.as_ref().map(<[u8; 32]>::as_slice),
                &row.author,
                &row.created_at,
                &row.expires_at,
                &row.revoked_at,
                &row.body,
            ],
        )
        .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Act, RecordsError> {
    let seq: i64 = row.get(0);
    let broken = |error: &dyn std::fmt::Display| RecordsError::corrupt(format!("act {seq}"), error);
    let principal: &str = row.get(2);
    Ok(Act {
        seq: seq as u64,
        at: Moment::from_micros(row.get(1)),
        principal: principal.parse().map_err(|error| broken(&error))?,
        request_id: row.get(4),
        deed: Deed::read(row.get(3), row.get(5)).map_err(|error| broken(&error))?,
    })
}
