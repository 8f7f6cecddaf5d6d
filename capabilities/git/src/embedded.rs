//! The embedded git server: bare repositories on disk, the protocol that git's
//! clients speak, reading and committing in process. It knows neither users nor
//! objects of the platform; those are handed in.

pub mod bare;
pub mod durable;
pub mod exchange;
pub mod gunzip;
pub mod history;
pub mod leftovers;
pub mod lookup;
pub mod objects;
pub mod read;
pub mod sources;
pub mod store;
pub mod tidy;
pub mod write;
