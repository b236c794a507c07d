//! The integration tests, all in one binary: a second one would link everything again. Each module is a subject; the promises are the tests' names.

mod dependencies;
