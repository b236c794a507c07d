//! Known products in PostgreSQL. Changes are numbered under a lock, so that they become visible in order.

use std::collections::HashMap;

use super::link::Session;
use super::{Postgres, copy};
use crate::base::{KnownProduct, ProductKey};
use crate::store::records::{CodeError, KnownColumns, KnownRow, Names, RecordsError, Scan, key_columns};

const STORE: &str = "WITH stored AS ( \
       INSERT INTO products (change, partner_id, product_id, image, body) \
       SELECT nextval('product_changes'), partner_id, product_id, image, body \
       FROM UNNEST($1::text[], $2::text[], $3::bytea[], $4::bytea[]) AS asked (partner_id, product_id, image, body) \
       ON CONFLICT (partner_id, product_id) DO UPDATE SET change = excluded.change, image = excluded.image, body = excluded.body \
       RETURNING change \
     ) SELECT max(change) FROM stored";

/// One look-up for each product that is asked for, however many there are and whatever the database thinks of that.
const FIND: &str = "SELECT asked.place, found.body FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS asked (partner_id, product_id, place) \
     CROSS JOIN LATERAL (SELECT body FROM products p \
       WHERE p.partner_id = asked.partner_id AND p.product_id = asked.product_id LIMIT 1) AS found";

impl Postgres {
    pub fn load_known(&self) -> Scan<(u64, KnownProduct)> {
        let select = "SELECT change, partner_id, product_id, body FROM products".to_owned();
        let mut names = Names::default();
        copy::scan(&self.connector, select, move |tuple| {
            let columns = || {
                let columns = KnownColumns {
                    partner_id: tuple.text(1)?,
                    product_id: tuple.text(2)?,
                    body: tuple.bytes(3)?,
                };
                Ok::<_, CodeError>((tuple.int(0)?, columns))
            };
            let (change, columns) = columns().map_err(|error| RecordsError::corrupt("a product", error))?;
            Ok((change as u64, known(&columns, &mut names)?))
        })
    }

    pub async fn known_since(&self, change: u64, limit: usize) -> Result<Vec<(u64, KnownProduct)>, RecordsError> {
        let sql =
            "SELECT change, partner_id, product_id, body FROM products WHERE change > $1 ORDER BY change LIMIT $2";
        let mut session = self.reader().await?;
        let rows = session.query(sql, &[&(change as i64), &(limit as i64)]).await?;
        let mut names = Names::default();
        let read = |row: &tokio_postgres::Row| {
            let columns = KnownColumns {
                partner_id: row.get(1),
                product_id: row.get(2),
                body: row.get(3),
            };
            let change: i64 = row.get(0);
            Ok((change as u64, known(&columns, &mut names)?))
        };
        rows.iter().map(read).collect()
    }

    pub async fn known(&self, product: &ProductKey) -> Result<Option<KnownProduct>, RecordsError> {
        let mut session = self.reader().await?;
        let found = with_known(&mut session, std::slice::from_ref(product)).await?;
        Ok(found.into_iter().next().flatten())
    }
}

/// What is known of each of some products, in turn.
pub(super) async fn with_known(
    session: &mut Session,
    keys: &[ProductKey],
) -> Result<Vec<Option<KnownProduct>>, RecordsError> {
    let (partners, products): (Vec<_>, Vec<_>) = keys.iter().map(key_columns).unzip();
    let rows = session.query(FIND, &[&partners, &products]).await?;
    let mut bodies: HashMap<i64, &[u8]> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut names = Names::default();
    let mut found = Vec::with_capacity(keys.len());
    for ((partner_id, product_id), place) in partners.iter().zip(&products).zip(1..) {
        let body = bodies.remove(&place);
        let columns = body.map(|body| KnownColumns {
            partner_id,
            product_id,
            body,
        });
        found.push(columns.map(|columns| known(&columns, &mut names)).transpose()?);
    }
    Ok(found)
}

/// Writes what is known anew; the number of the last change is the answer.
pub(super) async fn store_known(session: &mut Session, rows: &[KnownRow]) -> Result<Option<u64>, RecordsError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let partners: Vec<&str> = rows.iter().map(|row| row.partner_id.as_str()).collect();
    let products: Vec<&str> = rows.iter().map(|row| row.product_id.as_str()).collect();
    let images: Vec<Option<&[u8]>> = rows
        .iter()
        .map(|row| row.image.as_ref().map(<[u8; 32]>::as_slice))
        .collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|row| row.body.as_slice()).collect();
    let stored = session.one(STORE, &[&partners, &products, &images, &bodies]).await?;
    let change: i64 = stored.get(0);
    Ok(Some(change as u64))
}

fn known(columns: &KnownColumns<'_>, names: &mut Names) -> Result<KnownProduct, RecordsError> {
    let known = columns.read(names);
    known.map_err(|error| RecordsError::corrupt(format!("product {:?}", columns.product_id), error))
}
