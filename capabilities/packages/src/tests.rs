//! Unit tests: grammar, rewriting, discovery, and the controllers on fake
//! objects and a fake git server.

mod controllers;
mod discovery;
mod fake_git;
mod remote;
mod rewrite;
