//! Tests of the runtime and its helpers against the fake API server.

// The lint spares functions marked as tests only, not those they share.
#![allow(clippy::unwrap_used)]

mod helpers;
mod runtime;
