//! A web server on this machine, for what is fetched: HTTPS with a certificate of its own, or plain HTTP.
//!
//! ```ignore
//! let server = Server::start(|request| match request {
//!     "/.well-known/did.json" => Answer::json(document),
//!     _ => Answer::status(404),
//! });
//! // config.toml: [fetch] ca = server.ca_file(), allow_loopback = true
//! // server.url("/.well-known/did.json"), server.did() == "did:web:localhost%3A49152"
//! ```

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, Response},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use futures::{StreamExt, stream};
use tempfile::TempDir;

/// What the server says to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// How long it takes to begin.
    pub delay: Duration,
    /// How long it takes over each byte; zero sends the body in one, with its length.
    pub per_byte: Duration,
}

impl Answer {
    /// An empty answer.
    pub fn status(status: u16) -> Self {
        let (delay, per_byte) = (Duration::ZERO, Duration::ZERO);
        Answer { status, headers: Vec::new(), body: Vec::new(), delay, per_byte }
    }

    /// A document.
    pub fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Answer { body: body.into(), ..Answer::status(200) }.with("content-type", content_type)
    }

    /// A JSON document.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::of("application/json", body)
    }

    /// Sends elsewhere.
    pub fn redirect(to: &str) -> Self {
        Answer::status(302).with("location", to)
    }

    /// With another header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A request that the server got.
#[derive(Clone, Debug)]
pub struct Got {
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
}

impl Got {
    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().expect("ASCII"))
    }
}

/// The server, which ends when it is dropped.
pub struct Server {
    scheme: &'static str,
    port: u16,
    dir: TempDir,
    requests: Arc<Mutex<Vec<Got>>>,
    handle: Handle<SocketAddr>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serves HTTPS at `localhost`; `answer` is given path and query.
    pub fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve("https", Arc::new(answer))
    }

    /// Serves HTTP.
    pub fn plain(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve("http", Arc::new(answer))
    }

    fn serve(scheme: &'static str, answer: Arc<dyn Fn(&str) -> Answer + Send + Sync>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let dir = TempDir::with_prefix("knack-test-").expect("a temporary folder");
        let tls = certify(&dir.path().join("ca.pem"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        let app = Router::new().fallback(move |request: Request| {
            let target = request.uri().path_and_query().map_or("/", |t| t.as_str()).to_owned();
            let answer = answer(&target);
            log.lock().expect("a log").push(Got { target, headers: request.headers().clone() });
            respond(answer)
        });
        let handle = Handle::new();
        let ours = handle.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let thread = std::thread::spawn(move || {
            let _within = runtime.enter();
            let service = app.into_make_service();
            let served = match scheme {
                "https" => {
                    let server = axum_server::from_tcp_rustls(listener, tls).expect("a listener");
                    runtime.block_on(server.handle(ours).serve(service))
                }
                _ => {
                    let server = axum_server::from_tcp(listener).expect("a listener");
                    runtime.block_on(server.handle(ours).serve(service))
                }
            };
            served.expect("served");
        });
        Server { scheme, port, dir, requests, handle, thread: Some(thread) }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.port)
    }

    /// The server's did:web, whose document is at `/.well-known/did.json`.
    pub fn did(&self) -> String {
        format!("did:web:localhost%3A{}", self.port)
    }

    /// A file with the certificate to trust.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// What was asked for until now.
    pub fn requests(&self) -> Vec<Got> {
        self.requests.lock().expect("a log").clone()
    }

    /// Ends the server; nothing answers at its port any more.
    pub fn stop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ended well");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// A new certificate for this machine, signed by itself and written to `path`.
fn certify(path: &Path) -> RustlsConfig {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    std::fs::write(path, made.cert.pem()).expect("written");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.key_pair.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth();
    let config = config.with_single_cert(vec![made.cert.der().clone()], key).expect("a key");
    RustlsConfig::from_config(Arc::new(config))
}

async fn respond(answer: Answer) -> Response<Body> {
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = if answer.per_byte.is_zero() {
        Body::from(answer.body)
    } else {
        let bytes = stream::iter(answer.body).then(move |byte| async move {
            tokio::time::sleep(answer.per_byte).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
        });
        Body::from_stream(bytes)
    };
    response.body(body).expect("a response")
}
