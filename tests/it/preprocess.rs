//! Pictures in, numbers out: equal to the training pipeline's, and safe on any bytes.

mod golden;
mod hostile;
mod making;
mod properties;
