//! x
pub(crate) fn start(_: &capability::Context) {}
