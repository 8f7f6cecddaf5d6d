//! Requests over HTTPS, as many programs would send them: each client has one
//! connection and one request under way. It must never know what it asks for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::server::Server;

/// What is asked.
pub struct Ask {
    method: Method,
    path: String,
    content: Option<(&'static str, String)>,
    header: Option<(HeaderName, String)>,
}

impl Ask {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Ask { method: Method::GET, path: path.into(), content: None, header: None }
    }

    /// A create.
    pub fn create(path: impl Into<String>, body: String) -> Self {
        Ask { method: Method::POST, path: path.into(), content: Some(("application/json", body)), header: None }
    }

    /// A change of some fields.
    pub fn merge(path: &str, body: String) -> Self {
        let content = Some(("application/merge-patch+json", body));
        Ask { method: Method::PATCH, path: path.to_owned(), content, header: None }
    }

    /// A delete; what the object owns goes afterwards.
    pub fn delete(path: &str) -> Self {
        Ask { method: Method::DELETE, path: path.to_owned(), content: None, header: None }
    }

    /// A server-side apply. JSON is YAML, and what clients send.
    pub fn apply(path: &str, body: String) -> Self {
        let path = format!("{path}?fieldManager=bench");
        let content = Some(("application/apply-patch+yaml", body));
        Ask { method: Method::PATCH, path, content, header: None }
    }

    /// The same, unless what is there has this tag.
    pub fn unless(self, etag: &str) -> Self {
        Ask { header: Some((header::IF_NONE_MATCH, etag.to_owned())), ..self }
    }

    /// The same, compressed if the server can.
    pub fn compressed(self) -> Self {
        Ask { header: Some((header::ACCEPT_ENCODING, "gzip".to_owned())), ..self }
    }
}

/// What was answered.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Vec<Bytes>,
}

impl Answer {
    /// Bytes of the body.
    pub fn size(&self) -> usize {
        self.body.iter().map(Bytes::len).sum()
    }

    /// The body in one piece.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body.concat()).into_owned()
    }
}

/// One connection.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    authorization: String,
}

impl Client {
    /// Connects and shakes hands.
    pub async fn connect(server: &Server) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        // A server that signs for itself sends its authority last.
        let authority = CertificateDer::pem_slice_iter(server.ca.as_bytes()).last().context("no certificate")?;
        roots.add(authority.context("the authority's certificate")?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", server.port)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("127.0.0.1")?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // It ends when the sender is dropped.
            let _ = connection.await;
        });
        Ok(Client { sender, authorization: format!("Bearer {}", server.token) })
    }

    /// Asks and reads the whole answer, whatever it says.
    pub async fn send(&mut self, ask: Ask) -> Result<Answer> {
        let mut request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header(header::HOST, "127.0.0.1")
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, &self.authorization);
        if let Some((name, value)) = ask.header {
            request = request.header(name, value);
        }
        let body = match ask.content {
            Some((kind, body)) => {
                request = request.header(header::CONTENT_TYPE, kind);
                body
            }
            None => String::new(),
        };
        // It is not ready while the connection still tidies up after the last answer.
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::from(body))?).await?;
        let (head, mut rest) = response.into_parts();
        let mut body = Vec::new();
        while let Some(frame) = rest.frame().await {
            body.extend(frame?.into_data().ok());
        }
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Asks, and fails unless it went well.
    pub async fn must(&mut self, ask: Ask) -> Result<Answer> {
        let what = format!("{} {}", ask.method, ask.path);
        let answer = self.send(ask).await?;
        if !answer.status.is_success() && answer.status != StatusCode::NOT_MODIFIED {
            bail!("{what}: {}: {}", answer.status, answer.text());
        }
        Ok(answer)
    }
}

/// How many requests a load makes.
#[derive(Clone, Copy)]
pub enum Until {
    /// As many as fit into this time.
    Time(Duration),
    /// This many from each client.
    Count(usize),
}

/// Sends what `ask` makes of a client's number and of a count, each client one after the other;
/// returns the latency of every request in milliseconds and the seconds it all took.
pub async fn load<Make>(server: &Server, clients: usize, until: Until, ask: Make) -> Result<(Vec<f64>, f64)>
where
    Make: Fn(usize, usize) -> Ask + Send + Sync + 'static,
{
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(Client::connect(server).await?);
    }
    let ask = Arc::new(ask);
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for (number, mut client) in connections.into_iter().enumerate() {
        let ask = ask.clone();
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            let goes_on = |count: usize| match until {
                Until::Time(length) => begin.elapsed() < length,
                Until::Count(wanted) => count < wanted,
            };
            while goes_on(latencies.len()) {
                let request = ask(number, latencies.len());
                let at = Instant::now();
                client.must(request).await?;
                latencies.push(at.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok((latencies, begin.elapsed().as_secs_f64()))
}
