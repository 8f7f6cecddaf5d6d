//! Creates over HTTPS, as many programs would send them: each client has one
//! connection and one request under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::figures::Load;
use crate::platform::{API_PORT, Pki};

/// Creates ConfigMaps of `size` bytes from several clients.
pub async fn creates(pki: &Pki, clients: usize, length: Duration, size: usize) -> Result<Load> {
    let token = pki.read("admin.token")?.trim().to_owned();
    let ca = pki.read("ca.crt")?;
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(connect(&ca).await?);
    }
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for (number, sender) in connections.into_iter().enumerate() {
        tasks.push(tokio::spawn(client(sender, token.clone(), number, length, size)));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(Load::of(latencies, begin.elapsed().as_secs_f64()))
}

async fn client(
    mut sender: SendRequest<Full<Bytes>>,
    token: String,
    number: usize,
    length: Duration,
    size: usize,
) -> Result<Vec<f64>> {
    let value = "x".repeat(size);
    let authorization = format!("Bearer {token}");
    let begin = Instant::now();
    let mut latencies = Vec::new();
    while begin.elapsed() < length {
        let name = format!("bench-{number}-{}", latencies.len());
        let body = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}},"data":{{"value":"{value}"}}}}"#
        );
        let request = Request::post("/api/v1/namespaces/default/configmaps")
            .header(header::HOST, "127.0.0.1")
            .header(header::AUTHORIZATION, &authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))?;
        let at = Instant::now();
        let response = sender.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        latencies.push(at.elapsed().as_secs_f64() * 1e3);
        if status != 201 {
            bail!("{status}: {}", String::from_utf8_lossy(&answer));
        }
    }
    Ok(latencies)
}

async fn connect(ca: &str) -> Result<SendRequest<Full<Bytes>>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).context("the authority's certificate")?)?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", API_PORT)).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("127.0.0.1")?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // It ends when the sender is dropped.
        let _ = connection.await;
    });
    Ok(sender)
}
