//! The messages that travel, and how they become the words of the house and back.
//!
//! Generated from `proto/`. This room knows no transport: services, codes and deadlines are the `grpc` room's.

mod config_text;
mod correction;
mod decision;
mod json;
mod methods;
#[cfg(test)]
mod pinned_tests;
mod record;
mod request;
mod verdicts;

pub use config_text::model_config_from_text;
pub use correction::{moment, product_key, reason, request_id, verdict};
pub use decision::{timestamp, verdict_to_wire};
pub use json::to_json;
pub use methods::{Method, method, methods, service_names};
pub use prost_types::Timestamp;
pub use request::{MAX_COUNTRIES, MAX_FACTS, MAX_IDENTITY_BYTES, MAX_TEXT_BYTES, countries, optional, parsed, version};

pub use generated::google::rpc as google;
pub use generated::inference;
pub use generated::vigie::v1 as vigie;

/// Modules nested as the packages are: the generated code names one from within another by that way.
mod generated {
    /// Package `inference`: the Open Inference Protocol with Triton's extensions.
    pub mod inference {
        include!(concat!(env!("OUT_DIR"), "/messages/inference.rs"));
    }

    pub mod vigie {
        /// Package `vigie.v1`.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/messages/vigie.v1.rs"));
        }
    }

    pub mod google {
        /// Package `google.rpc`.
        pub mod rpc {
            include!(concat!(env!("OUT_DIR"), "/messages/google.rpc.rs"));
        }
    }
}

impl google::Status {
    /// Reads one as it travels in the header `grpc-status-details-bin`; none where the bytes are not one.
    pub fn from_encoded(bytes: &[u8]) -> Option<Self> {
        prost::Message::decode(bytes).ok()
    }
}

/// Every file of `proto/` as an encoded `FileDescriptorSet`, for reflection and for the text format.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
