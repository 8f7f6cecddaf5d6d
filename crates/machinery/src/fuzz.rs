//! Random and hostile input for everything that reads what clients send, checked against
//! laws and not only for panics. In the normal test run each target sees a few hundred
//! inputs from a fixed seed; `cargo xtask fuzz` runs them long, optimised, from fresh seeds.
//! A failure prints the command that repeats it. Compiled for tests only.

mod built_in;
mod driver;
mod ownership;
mod patches;
mod readers;
mod schemas;
mod shapes;
mod source;
mod texts;

use driver::run;
use source::Source;
