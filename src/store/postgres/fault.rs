//! What PostgreSQL says, as whose move it is.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::store::records::RecordsError;

/// The outcome of a statement. What the server did not say at all is the connection's fault.
pub(super) fn fault(error: &Error) -> RecordsError {
    let reason = told(error);
    let Some(code) = error.code() else {
        return if is_of_values(error) {
            RecordsError::Failed { reason }
        } else {
            RecordsError::Away { reason }
        };
    };
    let is = |states: &[SqlState]| states.contains(code);
    if code.code().starts_with("08")
        || is(&[
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_SESSION_TIMEOUT,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ])
    {
        return RecordsError::Away { reason };
    }
    if is(&[SqlState::DISK_FULL]) {
        return RecordsError::Full { reason };
    }
    if is(&[
        SqlState::QUERY_CANCELED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ]) {
        return RecordsError::Slow { reason };
    }
    if is(&[SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED]) {
        return RecordsError::corrupt("the database", reason);
    }
    RecordsError::Failed { reason }
}

/// Why no connection came about: what only a change of the setting mends is the setting's fault.
pub(super) fn of_connecting(error: &Error) -> RecordsError {
    let settings = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INVALID_CATALOG_NAME,
    ];
    match error.code() {
        Some(code) if settings.contains(code) => RecordsError::input(
            "connection",
            format!(
                "{}; give the database and the account that it names, or change the name",
                told(error)
            ),
        ),
        Some(_) | None => fault(error),
    }
}

/// It never reached the server, or the answer could not be read: a value of another type than its column has.
fn is_of_values(error: &Error) -> bool {
    let text = error.to_string();
    text.starts_with("error serializing") || text.starts_with("error deserializing") || text.contains("parameters")
}

/// The server's own words, with those of what caused it.
fn told(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        let detail = said.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{}{detail} [{}]", said.message(), said.code().code());
    }
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
