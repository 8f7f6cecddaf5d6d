//! Owners of fields, case by case and as laws, over objects that several clients write.

mod agree;
mod applying;
mod capping;
mod properties;
mod updating;
mod world;
