//! What is counted, over HTTP in the OpenMetrics format, for whoever keeps the node.
//!
//! One resource, one method, one answer a connection: so little that a web framework would be most of it.

use std::{io, net::SocketAddr, time::Duration};

use knackmesh_protocol::limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use crate::control::{Handle, Reply, Request};

/// Listens, and serves until the returned task is dropped or aborted. Also where it listens.
///
/// # Errors
/// When the system refuses to listen there.
pub async fn serve(at: SocketAddr, node: Handle) -> io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
    let listener = TcpListener::bind(at).await?;
    let address = listener.local_addr()?;
    Ok((address, tokio::spawn(accept(listener, node))))
}

async fn accept(listener: TcpListener, node: Handle) {
    let room = std::sync::Arc::new(Semaphore::new(limits::METRICS_CONNECTIONS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "the endpoint for metrics");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Who comes when all places are taken is hung up on.
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let node = node.clone();
        tokio::spawn(async move {
            let _place = place;
            let patience = Duration::from_millis(limits::METRICS_TIMEOUT_MS);
            if let Ok(Err(error)) = timeout(patience, answer(stream, node)).await {
                tracing::debug!(%error, "a reader of metrics hung up");
            }
        });
    }
}

async fn answer(mut stream: TcpStream, node: Handle) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if head.len() >= limits::METRICS_HEAD_BYTES_MAX {
            return respond(&mut stream, "431 Request Header Fields Too Large", "too long\n").await;
        }
        let mut part = [0; 1024];
        match stream.read(&mut part).await? {
            0 => return Ok(()),
            read => head.extend_from_slice(&part[..read]),
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    match asked(line) {
        Asked::Metrics => match node.ask(Request::Metrics).await {
            Ok(Reply::Metrics(text)) => respond(&mut stream, "200 OK", &text).await,
            _ => respond(&mut stream, "503 Service Unavailable", "the node does not answer\n").await,
        },
        Asked::Nothing => respond(&mut stream, "404 Not Found", "there is /metrics alone\n").await,
        Asked::Otherwise => respond(&mut stream, "405 Method Not Allowed", "GET alone\n").await,
    }
}

/// What a request line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Metrics,
    Nothing,
    Otherwise,
}

fn asked(line: &[u8]) -> Asked {
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next()) {
        (Some(b"GET"), Some(path)) if path.split(|b| *b == b'?').next() == Some(b"/metrics") => {
            Asked::Metrics
        }
        (Some(b"GET"), _) => Asked::Nothing,
        _ => Asked::Otherwise,
    }
}

async fn respond(stream: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    let kind = match status.starts_with("200") {
        true => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        false => "text/plain; charset=utf-8",
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_asks_for_metrics_or_for_nothing() {
        assert_eq!(asked(b"GET /metrics HTTP/1.1"), Asked::Metrics);
        assert_eq!(asked(b"GET /metrics?x=1 HTTP/1.1"), Asked::Metrics);
        assert_eq!(asked(b"GET / HTTP/1.1"), Asked::Nothing);
        assert_eq!(asked(b"GET"), Asked::Nothing);
        assert_eq!(asked(b"POST /metrics HTTP/1.1"), Asked::Otherwise);
        assert_eq!(asked(b""), Asked::Otherwise);
    }
}
