//! Forgetting and erasing in PostgreSQL.

use std::collections::BTreeSet;

use super::acts::{insert, last_seq};
use super::decisions::notify;
use super::link::{Session, Value};
use super::pictures::read_sha;
use super::{Lock, Postgres, copy};
use crate::base::{Digest, Moment, Principal};
use crate::store::records::{Act, BATCH, Deed, ERASED, RecordsError, column};

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

    pub async fn erase_acts(
        &self,
        partner_id: &str,
        principal: &Principal,
        at: Moment,
    ) -> Result<(u64, u64), RecordsError> {
        let mut session = self.actor.session().await?;
        session.begin().await?;
        session.lock(Lock::Acts).await?;
        let partner = column(partner_id);
        let blank = "UPDATE acts SET kind = $2, body = $3 \
                     WHERE about IN (SELECT correction_id FROM corrections WHERE partner_id = $1) AND kind IN ('correct', 'revoke')";
        session.execute(blank, &[&partner, &ERASED.0, &ERASED.1]).await?;
        let corrections = session
            .execute("DELETE FROM corrections WHERE partner_id = $1", &[&partner])
            .await?;
        let act = Act {
            seq: last_seq(&mut session).await? + 1,
            at,
            principal: principal.clone(),
            request_id: String::new(),
            deed: Deed::ErasePartner {
                partner_id: partner_id.to_owned(),
            },
        };
        insert(&mut session, &act).await?;
        notify(&mut session, "act", act.seq).await?;
        session.commit().await?;
        self.hints.act(act.seq);
        Ok((act.seq, corrections))
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

    /// Writes the tables anew, so that nothing of what was removed is left in their files.
    pub async fn scrub(&self) -> Result<(), RecordsError> {
        let session = self.connector.unlimited().await?;
        for table in [
            "acts",
            "corrections",
            "products",
            "decision_countries",
            "decisions",
            "pictures",
        ] {
            session.batch(&format!("VACUUM (FULL, ANALYZE) {table}")).await?;
        }
        Ok(())
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
