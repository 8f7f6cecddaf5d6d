//! Unit tests of the binary.

mod asked;
mod command_line;
mod facts;
mod kubeconfig;
mod wait;
