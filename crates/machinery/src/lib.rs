//! Pure algorithms over objects: patches, strategic and three-way merge,
//! selectors, table columns, protobuf decoding, OpenAPI. They do no I/O, read
//! no clock and know no capability.

#[cfg(test)]
mod fixtures;
mod typed;
pub mod validate;
pub mod selector;
pub mod patch;
pub mod yaml;
pub mod quantity;
pub mod human;
pub mod jsonpath;
pub mod table;
pub mod merge3;
pub mod diff;
pub mod protobuf;
pub mod openapi;
