//! The binary from outside: every command as a person runs it, with a home, ports
//! and platforms of its own.

mod sandbox;
mod crash;
mod create;
mod fixtures;
mod follow;
mod refusals;
mod show;
mod workloads;
