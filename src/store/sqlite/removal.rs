//! Forgetting and erasing in SQLite.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, Transaction, params};

use super::Sqlite;
use super::acts::{insert, last_seq};
use super::fault::Fault;
use super::file::{BUSY, DatabaseFile};
use super::writer::Durability;
use crate::base::{Digest, Moment};
use crate::store::records::{AskedErasure, BATCH, ERASED, Erased, RecordsError, column, erased_by, pairs};

/// How often the log is tried to be emptied, and how long readings are waited for in each try and after it.
const FOLD_TRIES: usize = 5;
const FOLD_WAITS: Duration = Duration::from_millis(500);

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

    /// What there is of a partner; its pictures are left out.
    pub async fn count_partner(&self, partner_id: &str) -> Result<Erased, RecordsError> {
        let partner = column(partner_id).into_owned();
        let ask = move |connection: &Connection| {
            let count = |table: &str| -> Result<u64, Fault> {
                let sql = format!("SELECT count(*) FROM {table} WHERE partner_id = ?1");
                let counted: i64 = connection.query_row(&sql, [&partner], |row| row.get(0))?;
                Ok(counted as u64)
            };
            Ok(Erased {
                decisions: count("decisions")?,
                products: count("products")?,
                corrections: count("corrections")?,
                ..Erased::default()
            })
        };
        self.records.readers.read(ask).await
    }

    pub async fn erase_acts(&self, asked: &AskedErasure, so_far: Erased) -> Result<Erased, RecordsError> {
        let asked = asked.clone();
        let write = move |transaction: &Transaction<'_>| {
            let partner = column(&asked.partner_id);
            transaction.execute(
                "UPDATE acts SET kind = ?2, body = ?3 \
                 WHERE about IN (SELECT correction_id FROM corrections WHERE partner_id = ?1) AND kind IN ('correct', 'revoke')",
                params![partner, ERASED.0, ERASED.1],
            )?;
            let corrections = transaction.execute("DELETE FROM corrections WHERE partner_id = ?1", [&partner])?;
            let act = asked.act(last_seq(transaction)? + 1, so_far.and_corrections(corrections as u64));
            insert(transaction, &act)?;
            Ok(act)
        };
        let act = self.records.writer.write(Durability::Disk, write).await?;
        self.hints.act(act.seq);
        Ok(erased_by(&act))
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

    /// Writes both files anew, so that nothing of what was removed is left in them or in their logs: what SQLite overwrites by itself does not
    /// cover the copies that stay behind where it moved rows from page to page.
    pub async fn scrub(&self) -> Result<Option<String>, RecordsError> {
        let mut still_in_use = None;
        for (file, name) in [(&self.records, "records.sqlite"), (&self.pictures, "pictures.sqlite")] {
            let work = |connection: &Connection| Ok(connection.execute_batch("VACUUM")?);
            file.writer.maintain(work).await?;
            if !file.fold_log().await? {
                still_in_use = Some(format!(
                    "a long reading, such as a simulation, still needs {name} as it was before; when it has ended, erase once more"
                ));
            }
        }
        Ok(still_in_use)
    }
}

impl DatabaseFile {
    /// Empties the log once no reading needs it; false where one still does after some seconds.
    async fn fold_log(&self) -> Result<bool, RecordsError> {
        for _ in 0..FOLD_TRIES {
            let fold = |connection: &Connection| {
                connection.busy_timeout(FOLD_WAITS)?;
                let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0));
                connection.busy_timeout(BUSY)?;
                let busy: i64 = folded?;
                Ok(busy == 0)
            };
            if self.writer.maintain(fold).await? {
                return Ok(true);
            }
            tokio::time::sleep(FOLD_WAITS).await;
        }
        Ok(false)
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
