//! One file for each command. A command answers on standard output, tells of its
//! progress on standard error, and fails with a diagnostic.

pub mod create;
pub mod delete;
pub mod follow;
pub mod lifecycle;
pub mod status;
pub mod logs;
pub mod doctor;
pub mod get;
pub mod version;
pub mod serve;
