//! The controller against an API server in memory and a git server in memory.

mod applier;
mod deletion;
mod deletion_hooks;
mod hooks;
mod hooks_interrupted;
mod sources;
mod syncing;
mod world;
