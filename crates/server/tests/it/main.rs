//! The server from outside: its directory, its authority, its sealing, its
//! routing, and how capabilities come and fail.

mod capabilities;
mod directory;
mod listen;
mod secrets;
