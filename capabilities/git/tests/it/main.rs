//! The git capability from outside: real git clients and plain HTTP against its
//! routes on a socket, objects in memory. It never reaches into the crate.

#![allow(clippy::unwrap_used)]

mod attacks;
mod contract;
mod durability;
mod external;
mod harness;
mod objects;
mod pages;
mod platform;
mod rest;
mod smart_http;
