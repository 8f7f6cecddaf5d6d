//! Tests of the whole capability against the fake API server.
