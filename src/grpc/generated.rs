//! The services and their clients made from `proto/`; their messages are the `wire` room's. The clients are for tests, which look at statuses.

pub mod vigie {
    include!(concat!(env!("OUT_DIR"), "/services/vigie.v1.rs"));
}

pub mod inference {
    include!(concat!(env!("OUT_DIR"), "/services/inference.rs"));
}
