//! Paging as Gitea does it: `page` and `limit`, `X-Total-Count`, `Link`.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Items on a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 30;
/// Most items on a page.
const LARGEST_LIMIT: usize = 50;

/// What part of a list is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Paging {
    page: usize,
    limit: usize,
}

impl Paging {
    /// A part by its two numbers.
    pub fn new(page: Option<usize>, limit: Option<usize>) -> Self {
        Paging { page: page.unwrap_or_default(), limit: limit.unwrap_or_default() }
    }

    /// Number of the page, from 1.
    pub fn page(self) -> usize {
        self.page.max(1)
    }

    /// Items on it.
    pub fn limit(self) -> usize {
        if self.limit == 0 { DEFAULT_LIMIT } else { self.limit.min(LARGEST_LIMIT) }
    }

    /// Items before it.
    pub fn skip(self) -> usize {
        (self.page() - 1).saturating_mul(self.limit())
    }

    /// The items of a whole list that are on this page.
    pub fn cut<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.skip()).take(self.limit()).collect()
    }

    /// The headers that say where this page stands; `url` is the list's, without paging.
    pub fn headers(self, url: &str, total: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-total-count", HeaderValue::from(total));
        headers.insert("access-control-expose-headers", HeaderValue::from_static("Link, X-Total-Count"));
        let last = total.div_ceil(self.limit()).max(1);
        let mut links = Vec::new();
        let separator = if url.contains('?') { '&' } else { '?' };
        let mut link = |page: usize, rel: &str| {
            links.push(format!("<{url}{separator}page={page}&limit={}>; rel=\"{rel}\"", self.limit()));
        };
        if self.page() < last {
            link(self.page() + 1, "next");
            link(last, "last");
        }
        if self.page() > 1 {
            link(1, "first");
            link((self.page() - 1).min(last), "prev");
        }
        if let Ok(value) = HeaderValue::from_str(&links.join(","))
            && !links.is_empty()
        {
            headers.insert("link", value);
        }
        headers
    }

    /// A page of a whole list as a response.
    pub fn respond<T>(self, url: &str, all: Vec<T>, show: impl Fn(&T) -> serde_json::Value) -> Response {
        let total = all.len();
        let shown: Vec<serde_json::Value> = self.cut(all).iter().map(show).collect();
        self.respond_with(url, total, &shown)
    }

    /// A page that was cut already as a response.
    pub fn respond_with(self, url: &str, total: usize, shown: &impl Serialize) -> Response {
        (self.headers(url, total), Json(shown)).into_response()
    }
}
