//! Structured merge case by case and as laws, over one kind that has everything.

mod comparing;
mod merging;
mod properties;
mod schema;
mod taking;
