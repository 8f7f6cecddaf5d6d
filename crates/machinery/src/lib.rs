//! Pure algorithms over objects: patches, strategic and three-way merge,
//! selectors, table columns, protobuf decoding, OpenAPI. They do no I/O, read
//! no clock and know no capability.

// What objects are called and found by.
pub mod selector;
pub mod structural;
pub mod validate;

// Text and values.
pub mod human;
pub mod jsonpath;
pub mod quantity;
pub mod yaml;

// Changing and comparing objects.
pub mod decode;
pub mod defaults;
pub mod diff;
pub mod fields;
pub mod merge3;
pub mod ownership;
pub mod patch;
pub mod structured;
mod typed;

// How objects are shown and sent.
pub mod openapi;
pub mod protobuf;
pub mod table;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod fuzz;
