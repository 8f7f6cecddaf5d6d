//! Listeners: sockets, TLS, HTTP/1.1 and HTTP/2. Every connection is a task with
//! bounds on how long a handshake and a request's head may take.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use apiserver::authn::Certified;
use axum::body::Body;
use base::{Diagnostic, Tasks};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::pki;

/// How long a client may take for its TLS handshake, and for the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Streams on one HTTP/2 connection: a Go client opens all its watches on one.
const STREAMS: u32 = 2000;
/// Connections served at once on one listener.
const CONNECTIONS: usize = 4096;

/// What answers requests. Cheap to clone.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

/// Binds a port, or says who might hold it and what to do.
pub async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Diagnostic> {
    TcpListener::bind(address).await.map_err(|error| {
        let port = address.port();
        let diagnostic = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                Diagnostic::new("port-in-use", format!("port {port} is already in use on {}", address.ip()))
            }
            _ => Diagnostic::new("port-unusable", format!("port {port} cannot be listened on")).detail(error),
        };
        diagnostic.hint(format!("stop what listens there, or choose another port with {flag}"))
    })
}

/// Serves a listener until shutdown.
pub async fn serve<H: Handler>(listener: TcpListener, tls: Option<Arc<ServerConfig>>, handler: H, tasks: Tasks) {
    let acceptor = tls.map(TlsAcceptor::from);
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = free.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Usually no file descriptor is free; there is no event for one becoming so.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (acceptor, handler) = (acceptor.clone(), handler.clone());
        tasks.spawn("connection", async move {
            connection(stream, acceptor, handler).await;
            drop(permit);
        });
    }
}

async fn connection<H: Handler>(stream: TcpStream, acceptor: Option<TlsAcceptor>, handler: H) {
    // Small answers must not wait for more; failing to say so only costs speed.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return requests(stream, None, handler).await;
    };
    let Ok(Ok(stream)) = tokio::time::timeout(HEAD_PATIENCE, acceptor.accept(stream)).await else { return };
    let certificates = stream.get_ref().1.peer_certificates();
    let identity = certificates.and_then(|chain| pki::identity(chain.first()?));
    requests(stream, identity.map(Certified), handler).await;
}

async fn requests<S, H>(stream: S, certified: Option<Certified>, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let asked = Arc::new(Notify::new());
    let first = asked.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        first.notify_one();
        let (handler, certified) = (handler.clone(), certified.clone());
        async move {
            let mut request = request.map(Body::new);
            if let Some(certified) = certified {
                request.extensions_mut().insert(certified);
            }
            Ok::<_, Infallible>(handler.handle(request).await)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(Duration::from_secs(30));
    let mut serving = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    // The builder waits without bounds for the bytes that tell the protocol.
    tokio::select! {
        _ = &mut serving => return,
        () = asked.notified() => {}
        () = tokio::time::sleep(HEAD_PATIENCE) => return,
    }
    // A connection that breaks off is the client's business.
    let _ = serving.await;
}
