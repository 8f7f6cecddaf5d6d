//! Sets of field paths: what a manager owns of an object, as `FieldsV1` writes
//! it. A set knows nothing of objects or schemas, and says nothing of values.

mod element;
mod set;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use element::same;
pub use element::{Element, Path};
pub use set::{Entry, Set};
pub use wire::WireError;
