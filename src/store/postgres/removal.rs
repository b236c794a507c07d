//! Forgetting and erasing in PostgreSQL.

use std::collections::BTreeSet;
use std::time::Duration;

use super::acts::{insert, last_seq};
use super::decisions::notify;
use super::link::{Session, Value};
use super::pictures::read_sha;
use super::{Lock, Postgres, copy};
use crate::base::{Digest, Moment};
use crate::store::records::{AskedErasure, BATCH, ERASED, Erased, RecordsError, column, erased_by};

/// How often, and for how long each time, older transactions are waited for.
const WAITS: usize = 10;
const WAIT: Duration = Duration::from_millis(500);

/// How long a table is waited for.
const LOCK_MILLIS: u32 = 2_000;

/// Sessions on this database whose view, or whose own transaction, is older than a transaction, and those that cannot be looked into.
const OLDER_SESSIONS: &str = "SELECT pid, coalesce(nullif(application_name, ''), usename, ''), coalesce(xact_start::text, ''), is_hidden FROM ( \
       SELECT *, backend_type = 'client backend' AND query = '<insufficient privilege>' AS is_hidden FROM pg_stat_activity \
     ) s WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL) \
       AND (is_hidden OR age(backend_xmin) > age($1::text::xid) OR age(backend_xid) > age($1::text::xid))";

/// What else keeps removed rows: transactions that wait for their second half, and copies that lag behind.
const OLDER_HOLDERS: &str = "SELECT 'the prepared transaction', gid FROM pg_prepared_xacts \
       WHERE database = current_database() AND age(transaction) > age($1::text::xid) \
     UNION ALL SELECT 'the replication slot', slot_name::text FROM pg_replication_slots \
       WHERE age(xmin) > age($1::text::xid)";

impl Postgres {
    pub async fn forget_batch(&self, before: Moment) -> Result<u64, RecordsError> {
        let mut session = self.recorder.session().await?;
        let old = "SELECT entry FROM decisions WHERE at < $1 ORDER BY at, entry LIMIT $2";
        remove_decisions(&mut session, old, &[&before.micros(), &(BATCH as i64)]).await
    }

    /// The pictures of a partner's decisions, products and corrections that no other partner's product has.
    pub async fn partner_pictures(&self, partner_id: &str) -> Result<Vec<Digest>, RecordsError> {
        // A COPY takes no values; a text in hexadecimal needs no quoting.
        let hex: String = column(partner_id).bytes().map(|byte| format!("{byte:02x}")).collect();
        let partner = format!("convert_from(decode('{hex}', 'hex'), 'UTF8')");
        let select = format!(
            "SELECT image FROM decisions WHERE partner_id = {partner} AND image IS NOT NULL \
             UNION SELECT image FROM products WHERE partner_id = {partner} AND image IS NOT NULL \
             UNION SELECT seen_image FROM corrections WHERE partner_id = {partner} AND seen_image IS NOT NULL \
             EXCEPT SELECT image FROM products WHERE partner_id <> {partner}"
        );
        let scan = copy::scan(&self.connector, select, |tuple| {
            let sha = tuple
                .bytes(0)
                .map_err(|error| RecordsError::corrupt("the hash of a picture", error))?;
            read_sha(sha)
        });
        let mut pictures = BTreeSet::new();
        scan.each(|sha| {
            pictures.insert(sha);
        })
        .await?;
        Ok(pictures.into_iter().collect())
    }

    pub async fn needed_by_others(&self, partner_id: &str, shas: &[Digest]) -> Result<BTreeSet<Digest>, RecordsError> {
        let shas: Vec<&[u8]> = shas.iter().map(|sha| sha.0.as_slice()).collect();
        let sql = "SELECT sha FROM UNNEST($1::bytea[]) AS asked (sha) \
                   WHERE EXISTS (SELECT 1 FROM decisions WHERE image = sha AND partner_id <> $2) \
                   OR EXISTS (SELECT 1 FROM corrections WHERE image = sha) \
                   OR EXISTS (SELECT 1 FROM corrections WHERE seen_image = sha AND partner_id IS DISTINCT FROM $2)";
        let mut session = self.reader().await?;
        let rows = session.query(sql, &[&shas, &column(partner_id)]).await?;
        rows.iter().map(|row| read_sha(row.get(0))).collect()
    }

    /// What there is of a partner; its pictures are left out.
    pub async fn count_partner(&self, partner_id: &str) -> Result<Erased, RecordsError> {
        let mut session = self.reader().await?;
        let sql = "SELECT (SELECT count(*) FROM decisions WHERE partner_id = $1), \
                   (SELECT count(*) FROM products WHERE partner_id = $1), \
                   (SELECT count(*) FROM corrections WHERE partner_id = $1)";
        let row = session.one(sql, &[&column(partner_id)]).await?;
        let count = |column| row.get::<_, i64>(column) as u64;
        Ok(Erased {
            decisions: count(0),
            products: count(1),
            corrections: count(2),
            ..Erased::default()
        })
    }

    pub async fn erase_acts(&self, asked: &AskedErasure, so_far: Erased) -> Result<Erased, RecordsError> {
        let mut session = self.actor.session().await?;
        session.begin().await?;
        session.lock(Lock::Acts).await?;
        let partner = column(&asked.partner_id);
        let blank = "UPDATE acts SET kind = $2, body = $3 \
                     WHERE about IN (SELECT correction_id FROM corrections WHERE partner_id = $1) AND kind IN ('correct', 'revoke')";
        session.execute(blank, &[&partner, &ERASED.0, &ERASED.1]).await?;
        let corrections = session
            .execute("DELETE FROM corrections WHERE partner_id = $1", &[&partner])
            .await?;
        let act = asked.act(last_seq(&mut session).await? + 1, so_far.and_corrections(corrections));
        insert(&mut session, &act).await?;
        notify(&mut session, "act", act.seq).await?;
        session.commit().await?;
        self.hints.act(act.seq);
        Ok(erased_by(&act))
    }

    /// Products and decisions that a batch removed.
    pub async fn erase_batch(&self, partner_id: &str) -> Result<(u64, u64), RecordsError> {
        let mut session = self.recorder.session().await?;
        let partner = column(partner_id);
        let limit = BATCH as i64;
        let products = "DELETE FROM products WHERE (partner_id, product_id) IN \
                        (SELECT partner_id, product_id FROM products WHERE partner_id = $1 LIMIT $2)";
        let products = session.execute(products, &[&partner, &limit]).await?;
        let own = "SELECT entry FROM decisions WHERE partner_id = $1 LIMIT $2";
        let decisions = remove_decisions(&mut session, own, &[&partner, &limit]).await?;
        Ok((products, decisions))
    }

    /// Writes the tables anew, so that nothing of what was removed is left in their files. Rows that somebody can still see are carried over; so
    /// whoever could is waited for, some seconds.
    pub async fn scrub(&self) -> Result<Option<String>, RecordsError> {
        let mut session = self.connector.unlimited().await?;
        // Everything removed so far was removed by older transactions than this one.
        let now: String = session.one("SELECT pg_current_xact_id()::xid::text", &[]).await?.get(0);
        let mut in_the_way = session.older_than(&now).await?;
        for _ in 0..WAITS {
            if in_the_way.is_none() {
                break;
            }
            tokio::time::sleep(WAIT).await;
            in_the_way = session.older_than(&now).await?;
        }
        // Whoever comes after this waits with it for the table, so it must not wait for long.
        session.batch(&format!("SET lock_timeout = {LOCK_MILLIS}")).await?;
        for table in [
            "acts",
            "corrections",
            "products",
            "decision_countries",
            "decisions",
            "pictures",
        ] {
            match session.batch(&format!("VACUUM (FULL, ANALYZE) {table}")).await {
                Ok(()) => {}
                Err(RecordsError::Slow { .. }) => {
                    in_the_way.get_or_insert_with(|| format!("somebody else holds the table {table}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(in_the_way.map(|who| format!("{who}; when that has ended, erase once more")))
    }
}

impl Session {
    /// Whoever may still see what transactions before this one removed.
    async fn older_than(&mut self, transaction: &str) -> Result<Option<String>, RecordsError> {
        let mut found = Vec::new();
        for row in self.query(OLDER_SESSIONS, &[&transaction]).await? {
            let (pid, name, began): (i32, &str, &str) = (row.get(0), row.get(1), row.get(2));
            found.push(match row.get(3) {
                true => format!("session {pid} of {name:?}, which this account may not look into"),
                false => format!("session {pid} of {name:?}, in a transaction since {began}"),
            });
        }
        for row in self.query(OLDER_HOLDERS, &[&transaction]).await? {
            let (kind, name): (&str, &str) = (row.get(0), row.get(1));
            found.push(format!("{kind} {name:?}"));
        }
        let is_any = !found.is_empty();
        Ok(is_any.then(|| format!("PostgreSQL keeps what was removed for {}", found.join(", "))))
    }
}

/// Removes the decisions that a SELECT finds, with their countries.
async fn remove_decisions(session: &mut Session, found: &str, values: &[Value<'_>]) -> Result<u64, RecordsError> {
    let sql = format!(
        "WITH removed AS (DELETE FROM decisions WHERE entry IN ({found}) RETURNING entry, at, verdicts), \
         countries AS (DELETE FROM decision_countries c USING ( \
           SELECT DISTINCT split_part(pair, '=', 1) AS country, split_part(pair, '=', 2) AS verdict, at, entry \
           FROM removed, UNNEST(string_to_array(verdicts, ' ')) pair) gone \
         WHERE c.country = gone.country AND c.verdict = gone.verdict AND c.at = gone.at AND c.entry = gone.entry) \
         SELECT count(*) FROM removed"
    );
    let removed: i64 = session.one(&sql, values).await?.get(0);
    Ok(removed as u64)
}
