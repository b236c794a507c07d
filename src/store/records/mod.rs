//! What is on record: decisions, known products, acts and pictures, in SQLite or in PostgreSQL.
//!
//! [`Records`] is the one face of both; whoever uses it cannot tell which is behind. What both must do alike is written once, in this folder:
//! the rows, the questions, what an act does, what becomes known. The databases' folders hold what differs: connections, transactions, SQL.

mod acts;
mod code;
mod decisions;
mod error;
mod hints;
mod known;
mod open;
mod pictures;
mod query;
mod removal;
mod scan;
mod select;

pub use acts::{Act, AskedAct, AskedCorrection, AskedRevocation, Deed};
pub use error::RecordsError;
pub use hints::Appended;
pub use known::{known_from, merge_known};
pub use open::{PostgresSettings, SqliteSettings};
pub use pictures::Enforced;
pub use query::{CorrectionQuery, DecisionQuery, PAGE, Page};
pub use removal::{AskedErasure, Erased};
pub use scan::Scan;

pub(super) use acts::{CorrectionRow, ERASED, Found, Step, read_correction, remembered_since};
pub(super) use code::{
    CodeError, DecisionColumns, DecisionRow, KnownColumns, KnownRow, Names, column, digest, key_columns, pairs,
};
pub(super) use decisions::Group;
pub(super) use hints::Hints;
pub(super) use pictures::{KeptPicture, PictureFile};
pub(super) use query::{Position, page_of};
pub(super) use removal::{BATCH, erased_by};
pub(super) use scan::{Gone, Sender, start as start_scan};
pub(super) use select::{
    Bind, DECISION_COLUMNS, Dialect, Select, corrections as select_corrections, decisions as select_decisions,
};

use std::sync::Arc;

use super::postgres::Postgres;
use super::sqlite::Sqlite;

/// What is on record. Cheap to clone; every clone is the same.
#[derive(Debug, Clone)]
pub struct Records(Database);

#[derive(Debug, Clone)]
enum Database {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}
