//! The services and their clients made from `proto/`; their messages are the `wire` room's. The clients are for tests, which look at statuses.

#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "written by the generator"
)]
pub mod vigie {
    include!(concat!(env!("OUT_DIR"), "/services/vigie.v1.rs"));
}

#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "written by the generator"
)]
pub mod inference {
    include!(concat!(env!("OUT_DIR"), "/services/inference.rs"));
}
