//! Connections: so many at once, over TCP, or over TLS with a certificate of the moment.

use std::{
    future::{Ready, ready},
    io,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle,
    accept::Accept,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use knackmesh_protocol::limits::{API_CONNECTIONS_MAX, API_HEAD_TIMEOUT_MS};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// How long a client may take over what it has to say first.
const HEAD_TIMEOUT: Duration = Duration::from_millis(API_HEAD_TIMEOUT_MS);

/// Serves `router` until `handle` says otherwise.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    // The two servers are of different types, and what they have in common has no name that can be written here.
    macro_rules! run {
        ($server:expr) => {{
            let mut server = $server.http1_only().first_request_timeout(HEAD_TIMEOUT).handle(handle);
            server.http_builder().http1().header_read_timeout(HEAD_TIMEOUT);
            server.serve(router.into_make_service()).await
        }};
    }
    let counted = Counted(Arc::new(Semaphore::new(API_CONNECTIONS_MAX)));
    let server = axum_server::from_tcp(listener)?;
    match tls {
        None => run!(server.acceptor(counted)),
        Some(config) => {
            let tls = RustlsAcceptor::new(config).handshake_timeout(HEAD_TIMEOUT);
            run!(server.acceptor(tls.acceptor(counted)))
        }
    }
}

/// A certificate for this machine, signed with its own key. The key is made here and nowhere kept.
///
/// # Errors
/// What the cryptography refuses.
pub(super) fn self_signed(names: Vec<String>) -> io::Result<RustlsConfig> {
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.key_pair.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// Takes connections while there is room, and closes the others.
#[derive(Clone, Debug)]
struct Counted(Arc<Semaphore>);

impl<S> Accept<TcpStream, S> for Counted {
    type Stream = Held;
    type Service = S;
    type Future = Ready<io::Result<(Held, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let permit = self.0.clone().try_acquire_owned().map_err(io::Error::other);
        ready(permit.map(|permit| (Held { stream, _permit: permit }, service)))
    }
}

/// A connection that counts for as long as it is there.
#[derive(Debug)]
struct Held {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
