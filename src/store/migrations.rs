//! The steps by which a database comes to the schema of this program. A step that was released is never changed; what is new is the next.

use super::records::RecordsError;

/// One step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    pub name: &'static str,
    pub sql: &'static str,
}

/// SQLite's file of records. The first step is number 1.
pub(super) const SQLITE_RECORDS: &[Migration] = &[Migration {
    name: "records",
    sql: include_str!("sql/sqlite_records_1.sql"),
}];

/// SQLite's file of pictures.
pub(super) const SQLITE_PICTURES: &[Migration] = &[Migration {
    name: "pictures",
    sql: include_str!("sql/sqlite_pictures_1.sql"),
}];

/// PostgreSQL.
pub(super) const POSTGRES: &[Migration] = &[Migration {
    name: "records",
    sql: include_str!("sql/postgres_1.sql"),
}];

/// The steps that are missing, with their numbers, after the last one that was taken; an error where there are steps of a newer program.
pub(super) fn missing(
    all: &'static [Migration],
    last: i64,
    place: &str,
) -> Result<impl Iterator<Item = (i64, &'static Migration)>, RecordsError> {
    let known = all.len() as i64;
    if last > known {
        return Err(RecordsError::Newer {
            place: place.to_owned(),
            found: last,
            known,
        });
    }
    Ok((1..).zip(all).filter(move |(number, _)| *number > last))
}
