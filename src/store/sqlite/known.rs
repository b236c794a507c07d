//! Known products in SQLite. A change takes its row away and puts the new one at the end, so that the order of rows is the order of changes.

use rusqlite::{Connection, Row, Transaction};

use super::Sqlite;
use super::decisions::maybe;
use super::fault::Fault;
use crate::base::{KnownProduct, ProductKey};
use crate::store::records::{KnownColumns, KnownRow, Names, RecordsError, Scan, key_columns};

const FIND: &str =
    "SELECT change, partner_id, product_id, body FROM products WHERE partner_id = ?1 AND product_id = ?2";

impl Sqlite {
    pub fn load_known(&self) -> Scan<(u64, KnownProduct)> {
        self.records.readers.scan(|connection, sender| {
            let mut statement = connection.prepare("SELECT change, partner_id, product_id, body FROM products")?;
            let mut rows = statement.query(())?;
            let mut names = Names::default();
            while let Some(row) = rows.next()? {
                if sender.send(read(row, &mut names)?).is_err() {
                    break;
                }
            }
            Ok(())
        })
    }

    pub async fn known_since(&self, change: u64, limit: usize) -> Result<Vec<(u64, KnownProduct)>, RecordsError> {
        let ask = move |connection: &Connection| {
            let sql =
                "SELECT change, partner_id, product_id, body FROM products WHERE change > ?1 ORDER BY change LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([change as i64, limit as i64])?;
            let mut names = Names::default();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row, &mut names)?);
            }
            Ok(found)
        };
        self.records.readers.read(ask).await
    }

    pub async fn known(&self, product: &ProductKey) -> Result<Option<KnownProduct>, RecordsError> {
        let product = product.clone();
        let ask = move |connection: &Connection| find(connection, &product);
        self.records.readers.read(ask).await
    }
}

/// What is known of each of some products, in turn.
pub(super) fn with_known(connection: &Connection, products: &[ProductKey]) -> Result<Vec<Option<KnownProduct>>, Fault> {
    products.iter().map(|product| find(connection, product)).collect()
}

/// Writes what is known anew; the number of the last change is the answer.
pub(super) fn store_known(transaction: &Transaction<'_>, rows: &[KnownRow]) -> Result<Option<u64>, Fault> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO products (partner_id, product_id, image, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for row in rows {
        statement.execute(rusqlite::params![row.partner_id, row.product_id, row.image, row.body])?;
    }
    Ok(rows.last().map(|_| transaction.last_insert_rowid() as u64))
}

fn find(connection: &Connection, product: &ProductKey) -> Result<Option<KnownProduct>, Fault> {
    let mut names = Names::default();
    let found = maybe(connection, FIND, key_columns(product), |row| Ok(read(row, &mut names)))?;
    Ok(found.transpose()?.map(|(_, known)| known))
}

fn read(row: &Row<'_>, names: &mut Names) -> Result<(u64, KnownProduct), Fault> {
    let change: i64 = row.get(0)?;
    let columns = KnownColumns {
        partner_id: row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?,
        product_id: row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?,
        body: row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?,
    };
    let known = columns.read(names);
    let known = known.map_err(|error| RecordsError::corrupt(format!("product {:?}", columns.product_id), error))?;
    Ok((change as u64, known))
}
