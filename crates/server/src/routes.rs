//! Which capability answers: by the first label of the host below the
//! platform's, else by path prefix. Both ways always work, whichever the
//! platform's own URLs use.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use capability::{Endpoints, Route};
use http::{Request, Response, StatusCode, Uri, header};
use tower::ServiceExt;

/// The address space of one platform.
#[derive(Clone)]
pub struct Routes {
    routes: Arc<Vec<Route>>,
    endpoints: Arc<Endpoints>,
}

impl Routes {
    /// Routes of a platform.
    pub fn new(routes: Vec<Route>, endpoints: Arc<Endpoints>) -> Self {
        Routes { routes: Arc::new(routes), endpoints }
    }

    /// Answers one request.
    pub async fn handle(&self, mut request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let Some((router, prefix)) = self.find(&request) else {
            return Ok(self.landing(request.uri().path()));
        };
        if !prefix.is_empty() {
            let Some(uri) = without_prefix(request.uri(), prefix) else {
                return Ok(plain(StatusCode::BAD_REQUEST, "the path cannot be read\n"));
            };
            *request.uri_mut() = uri;
        }
        router.oneshot(request).await
    }

    fn find(&self, request: &Request<Body>) -> Option<(Router, &'static str)> {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| request.uri().host())
            .unwrap_or_default();
        let host = host
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
            .map_or(host, |(name, _)| name);
        let host = host.to_ascii_lowercase();
        let subdomain = host.strip_suffix(&self.endpoints.host).and_then(|left| left.strip_suffix('.'));
        if let Some(route) = self.routes.iter().find(|route| Some(route.subdomain) == subdomain) {
            return Some((route.router.clone(), ""));
        }
        let path = request.uri().path();
        let below =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.routes.iter().find(|route| below(route.prefix)).map(|route| (route.router.clone(), route.prefix))
    }

    /// The root of the platform: what there is.
    fn landing(&self, path: &str) -> Response<Body> {
        if path != "/" {
            return plain(StatusCode::NOT_FOUND, "nothing is served here\n");
        }
        let mut text = format!("coracle {}\n\n", self.endpoints.name);
        for route in self.routes.iter() {
            let url = self.endpoints.url(route.subdomain, route.prefix);
            text.push_str(&format!("{:<10} {url}\n", route.subdomain));
        }
        text.push_str(&format!("{:<10} {}\n", "kubernetes", self.endpoints.api_url));
        plain(StatusCode::OK, &text)
    }
}

fn without_prefix(uri: &Uri, prefix: &str) -> Option<Uri> {
    let path = uri.path().strip_prefix(prefix)?;
    let path = if path.is_empty() { "/" } else { path };
    match uri.query() {
        Some(query) => format!("{path}?{query}").parse().ok(),
        None => path.parse().ok(),
    }
}

fn plain(code: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = code;
    let content_type = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
