//! Connections that ask nothing are not kept.

use anyhow::{Result, ensure};
use axum::body::Body;
use base::Tasks;
use http::{Request, Response};
use server::listen::{Handler, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
struct Echo;

impl Handler for Echo {
    async fn handle(&self, _: Request<Body>) -> Response<Body> {
        Response::new(Body::from("here"))
    }
}

/// Time does not pass in this test: it jumps ahead whenever everything waits.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_ask_is_let_go() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let tasks = Tasks::default();
    tasks.spawn("listener", serve(listener, None, Echo, tasks.clone()));
    // Nothing, the beginning of HTTP/2's greeting, and half a request.
    for start in ["", "PRI * HT", "GET / HTTP/1.1\r\nHost"] {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(start.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        ensure!(answer.is_empty() || answer.contains("408"), "{start:?}: {answer}");
    }
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.ends_with("here"), "{answer}");
    Ok(())
}
