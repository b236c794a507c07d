//! What outlives the process: the data directory, and on record in it what serves.
//!
//! Everything here is small and written rarely, by the control plane alone; the request path never comes here.

mod data_directory;
mod measured;
mod serving_record;

pub use data_directory::{DataDirectory, StoreError};
pub use measured::Measured;
pub use serving_record::{Appointed, ModelRecord, ServingRecord};
