//! Unit tests of the binary.
