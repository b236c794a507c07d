//! What outlives the process: the data directory, and what is on record, in it or in PostgreSQL.
//!
//! Decisions, what is known of products, acts and pictures are behind [`Records`], whichever database keeps them. What serves, what was measured
//! and acts that wait for an absent database are small files of the data directory. It knows what the words of the house are and how to keep
//! them; it judges nothing, and the request path never comes here.

mod data_directory;
mod journal;
mod measured;
mod migrations;
mod postgres;
mod records;
mod serving_history;
mod serving_record;
mod sqlite;

pub use data_directory::{DataDirectory, StoreError};
pub use journal::{Journal, JournalError};
pub use measured::Measured;
pub use records::{
    Act, Appended, AskedAct, AskedCorrection, AskedErasure, AskedRevocation, CorrectionQuery, DecisionQuery, Deed,
    Enforced, Erased, PAGE, Page, PostgresSettings, Records, RecordsError, Scan, SqliteSettings, known_from,
    merge_known,
};
pub use serving_history::{Changed, ServingChange};
pub use serving_record::{Appointed, ModelRecord, ServingRecord};
