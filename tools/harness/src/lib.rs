//! Runs Windows programs, and the real command line, on the Wine that `./x`
//! has set up. For tests, demo, audit and benchmarks; decides nothing.
//!
//! Wine's output goes to files, never to a pipe: what a program leaves running
//! behind it would hold the pipe open.

pub mod clients;
pub mod faults;
pub mod group;
pub mod host;
pub mod nginx;
pub mod random;
pub mod vm;
pub mod web;
pub mod wine;

pub use wine::{Output, Wine};
