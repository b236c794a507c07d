//! The configuration: one value made of defaults, then a TOML file, then the environment, then flags.
//!
//! Every key is declared once, in `keys.rs`: its type, its default and the sentence that explains it in `--print-config`. Whatever is
//! wrong is reported together, each mistake with its key and where it came from, so that nobody mends a configuration one start at a
//! time. This room reads one file and knows nothing of what the settings are for.

mod keys;
mod load;
mod value;

pub use keys::{
    Admin, Auth, Cores, Grpc, Limits, Models, Proof, Records, Runtime, Settings, Shadow, Shutdown, Telemetry, Watch,
};
pub use load::{ConfigError, Mistake, Override, Sources};
pub use value::{ByteSize, DatabaseUrl, Endpoint, LogFormat, WatchMode, WhenBehind};
