//! stub
use std::sync::Arc;
pub fn router(_forge: Arc<crate::forge::Forge>) -> axum::Router { axum::Router::new() }
