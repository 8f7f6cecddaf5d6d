//! The controller against an API server in memory and a git server in memory.

mod applier;
mod deletion;
mod sources;
mod syncing;
mod world;
