//! Tests of the runtime and its helpers against the fake API server.

mod helpers;
mod runtime;
