//! The store's tests from outside: one suite that every engine passes, and what
//! only a file on a disk can show. Nothing here may reach into the store.

#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

mod contract;
mod crash;
mod durability;
mod files;
mod history;
mod model;
