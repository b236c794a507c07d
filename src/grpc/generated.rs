//! The services made from `proto/`; their messages are the `wire` room's.

pub mod vigie {
    include!(concat!(env!("OUT_DIR"), "/services/vigie.v1.rs"));
}

pub mod inference {
    include!(concat!(env!("OUT_DIR"), "/services/inference.rs"));
}
