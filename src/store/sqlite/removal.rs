//! Forgetting and erasing in SQLite.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction, params};

use super::Sqlite;
use super::acts::{insert, last_seq};
use super::fault::Fault;
use super::writer::Durability;
use crate::base::{Digest, Moment, Principal};
use crate::store::records::{Act, BATCH, Deed, ERASED, RecordsError, column, pairs};

impl Sqlite {
    pub async fn forget_batch(&self, before: Moment) -> Result<u64, RecordsError> {
        let write = move |transaction: &Transaction<'_>| {
            let sql = "SELECT entry, at, verdicts FROM decisions INDEXED BY decisions_by_at WHERE at < ?1 ORDER BY at LIMIT ?2";
            remove_decisions(transaction, sql, params![before.micros(), BATCH as i64])
        };
        self.records.writer.write(Durability::System, write).await
    }

    /// The pictures of a partner's decisions, products and corrections that no other partner's product has.
    pub async fn partner_pictures(&self, partner_id: &str) -> Result<Vec<Digest>, RecordsError> {
        let partner = column(partner_id).into_owned();
        let mut pictures = BTreeSet::new();
        let scan = self.records.readers.scan(move |connection, sender| {
            let mut statement = connection.prepare(
                "SELECT image FROM decisions WHERE partner_id = ?1 AND image IS NOT NULL \
                 UNION SELECT image FROM products WHERE partner_id = ?1 AND image IS NOT NULL \
                 UNION SELECT seen_image FROM corrections WHERE partner_id = ?1 AND seen_image IS NOT NULL \
                 EXCEPT SELECT image FROM products WHERE partner_id <> ?1",
            )?;
            let mut rows = statement.query([&partner])?;
            while let Some(row) = rows.next()? {
                if sender.send(Digest(row.get(0)?)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        scan.each(|sha| {
            pictures.insert(sha);
        })
        .await?;
        Ok(pictures.into_iter().collect())
    }

    pub async fn needed_by_others(
        &self,
        partner_id: &str,
        shas: Vec<Digest>,
    ) -> Result<BTreeSet<Digest>, RecordsError> {
        let partner = column(partner_id).into_owned();
        let ask = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM decisions WHERE image = ?1 AND partner_id <> ?2) \
                 OR EXISTS (SELECT 1 FROM corrections WHERE image = ?1) \
                 OR EXISTS (SELECT 1 FROM corrections WHERE seen_image = ?1 AND partner_id IS NOT ?2)",
            )?;
            let mut needed = BTreeSet::new();
            for sha in shas {
                if statement.query_row(params![sha.0, partner], |row| row.get(0))? {
                    needed.insert(sha);
                }
            }
            Ok(needed)
        };
        self.records.readers.read(ask).await
    }

    pub async fn erase_acts(
        &self,
        partner_id: &str,
        principal: &Principal,
        at: Moment,
    ) -> Result<(u64, u64), RecordsError> {
        let (partner_id, principal) = (partner_id.to_owned(), principal.clone());
        let write = move |transaction: &Transaction<'_>| {
            let partner = column(&partner_id).into_owned();
            transaction.execute(
                "UPDATE acts SET kind = ?2, body = ?3 \
                 WHERE about IN (SELECT correction_id FROM corrections WHERE partner_id = ?1) AND kind IN ('correct', 'revoke')",
                params![partner, ERASED.0, ERASED.1],
            )?;
            let corrections = transaction.execute("DELETE FROM corrections WHERE partner_id = ?1", [&partner])?;
            let act = Act {
                seq: last_seq(transaction)? + 1,
                at,
                principal,
                request_id: String::new(),
                deed: Deed::ErasePartner { partner_id },
            };
            insert(transaction, &act)?;
            Ok((act.seq, corrections as u64))
        };
        let (seq, corrections) = self.records.writer.write(Durability::Disk, write).await?;
        self.hints.act(seq);
        Ok((seq, corrections))
    }

    /// Products and decisions that a batch removed.
    pub async fn erase_batch(&self, partner_id: &str) -> Result<(u64, u64), RecordsError> {
        let partner = column(partner_id).into_owned();
        let write = move |transaction: &Transaction<'_>| {
            let products = transaction.execute(
                "DELETE FROM products WHERE change IN (SELECT change FROM products WHERE partner_id = ?1 LIMIT ?2)",
                params![partner, BATCH as i64],
            )?;
            let sql = "SELECT entry, at, verdicts FROM decisions WHERE partner_id = ?1 LIMIT ?2";
            let decisions = remove_decisions(transaction, sql, params![partner, BATCH as i64])?;
            Ok((products as u64, decisions))
        };
        self.records.writer.write(Durability::Disk, write).await
    }

    /// Writes both files anew, so that nothing of what was removed is left in them or in their logs.
    pub async fn scrub(&self) -> Result<(), RecordsError> {
        for file in [&self.records, &self.pictures] {
            let work = |connection: &Connection| {
                connection.execute_batch("VACUUM")?;
                let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
                if busy != 0 {
                    let reason = "a long reading still needs what was there before; erase again when it has ended";
                    return Err(Fault::from(RecordsError::Slow {
                        reason: reason.to_owned(),
                    }));
                }
                Ok(())
            };
            file.writer.maintain(work).await?;
        }
        Ok(())
    }
}

/// Removes the decisions that a statement finds, with their countries.
fn remove_decisions(transaction: &Transaction<'_>, sql: &str, binds: impl rusqlite::Params) -> Result<u64, Fault> {
    let mut find = transaction.prepare_cached(sql)?;
    let found = find.query_map(binds, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found: Vec<(i64, i64, String)> = found.collect::<Result<_, _>>()?;
    let mut countries = transaction.prepare_cached(
        "DELETE FROM decision_countries WHERE country = ?1 AND verdict = ?2 AND at = ?3 AND entry = ?4",
    )?;
    let mut decision = transaction.prepare_cached("DELETE FROM decisions WHERE entry = ?1")?;
    for (entry, at, verdicts) in &found {
        for (country, verdict) in pairs(verdicts) {
            countries.execute(params![country, verdict, at, entry])?;
        }
        decision.execute([entry])?;
    }
    Ok(found.len() as u64)
}
