//! Refusals as gRPC status: the one place where a cause gets its code.
//!
//! Machines read the details (`RetryInfo`, `BadRequest`), people the message. Both are cut to a length that fits into the header
//! block of any client, whatever the caller sent.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::base::{Refusal, RefusalKind};
use crate::wire::google;

/// The longest message, in bytes: three copies of it travel, encoded, in headers that clients cap at 8 KiB.
const MAX_MESSAGE_BYTES: usize = 700;

/// The code of a cause.
pub fn code(kind: &RefusalKind) -> Code {
    match kind {
        RefusalKind::InvalidArgument { .. } => Code::InvalidArgument,
        RefusalKind::Unauthenticated => Code::Unauthenticated,
        RefusalKind::Denied => Code::PermissionDenied,
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::Unavailable => Code::Unavailable,
        RefusalKind::Aborted => Code::Aborted,
        RefusalKind::Overloaded { .. } => Code::ResourceExhausted,
        RefusalKind::DeadlineExceeded { .. } => Code::DeadlineExceeded,
        RefusalKind::Cancelled => Code::Cancelled,
        RefusalKind::Unsupported => Code::Unimplemented,
        RefusalKind::Failed | RefusalKind::Internal => Code::Internal,
    }
}

/// A refusal as the answer of a call.
pub fn status(refusal: Refusal) -> Status {
    let message = shortened(refusal.message);
    let mut details = ErrorDetails::new();
    match &refusal.kind {
        RefusalKind::InvalidArgument { field } => {
            details.add_bad_request_violation(shortened(field.clone()), message.clone());
        }
        RefusalKind::Overloaded { retry_after }
        | RefusalKind::DeadlineExceeded {
            retry_after: Some(retry_after),
        } => {
            details.set_retry_info(Some(whole_milliseconds(*retry_after)));
        }
        RefusalKind::Unauthenticated
        | RefusalKind::Denied
        | RefusalKind::NotFound
        | RefusalKind::Unavailable
        | RefusalKind::Aborted
        | RefusalKind::DeadlineExceeded { retry_after: None }
        | RefusalKind::Cancelled
        | RefusalKind::Unsupported
        | RefusalKind::Failed
        | RefusalKind::Internal => return Status::new(code(&refusal.kind), message),
    }
    Status::with_error_details(code(&refusal.kind), message, details)
}

/// A refusal as the answer of one item of a stream.
pub fn item_error(refusal: Refusal) -> google::Status {
    let status = status(refusal);
    let bare = || google::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    };
    match status.details() {
        [] => bare(),
        encoded => google::Status::from_encoded(encoded).unwrap_or_else(bare),
    }
}

/// The name of a code as the specification of gRPC writes it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Rounded up, and never zero: who comes back earlier is refused again.
fn whole_milliseconds(span: Duration) -> Duration {
    let nanoseconds_over = span.subsec_nanos() % 1_000_000;
    let rest = if nanoseconds_over == 0 {
        0
    } else {
        1_000_000 - nanoseconds_over
    };
    span.saturating_add(Duration::from_nanos(rest.into()))
        .max(Duration::from_millis(1))
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_MESSAGE_BYTES {
        let mut end = MAX_MESSAGE_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_code() {
        let table = [
            (Refusal::invalid("countries[0]", "no"), Code::InvalidArgument),
            (Refusal::unauthenticated("no"), Code::Unauthenticated),
            (Refusal::denied("no"), Code::PermissionDenied),
            (Refusal::not_found("no"), Code::NotFound),
            (Refusal::unavailable("no"), Code::Unavailable),
            (Refusal::aborted("no"), Code::Aborted),
            (Refusal::overloaded(Duration::ZERO, "no"), Code::ResourceExhausted),
            (Refusal::deadline(), Code::DeadlineExceeded),
            (Refusal::too_late(Duration::ZERO), Code::DeadlineExceeded),
            (Refusal::cancelled(), Code::Cancelled),
            (Refusal::unsupported("no"), Code::Unimplemented),
            (Refusal::failed("no"), Code::Internal),
            (Refusal::internal("no"), Code::Internal),
        ];
        for (refusal, expected) in table {
            let message = refusal.message.clone();
            let item = item_error(refusal.clone());
            let status = status(refusal);
            assert_eq!((status.code(), status.message()), (expected, message.as_str()));
            assert_eq!((item.code, item.message), (i32::from(expected), message));
        }
    }

    #[test]
    fn a_wrong_field_is_named_in_the_details() {
        let status = status(Refusal::invalid("product.price.currency", "is no currency"));
        let details = status.get_details_bad_request().unwrap();
        assert_eq!(details.field_violations[0].field, "product.price.currency");
    }

    #[test]
    fn the_moment_to_come_back_is_rounded_up() {
        for (asked_us, expected_ms) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (49_999, 50)] {
            let status = status(Refusal::overloaded(Duration::from_micros(asked_us), "full"));
            let delay = status.get_details_retry_info().unwrap().retry_delay.unwrap();
            assert_eq!(delay, Duration::from_millis(expected_ms), "{asked_us} µs");
        }
    }

    #[test]
    fn a_long_text_of_the_caller_fits_into_headers() {
        let status = status(Refusal::invalid("x".repeat(100_000), "é".repeat(100_000)));
        assert!(status.message().len() < 1000 && status.details().len() < 3000);
    }
}
