//! Fetching from real servers on this machine, and from nowhere.

#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../../tests/harness/https.rs"]
mod https;

use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use self::https::{Answer, Server};
use super::*;

const ALWAYS: Freshness = Freshness { max_age_ms: 0 };
const HOUR: Freshness = Freshness { max_age_ms: 3_600_000 };
const DOCUMENT: &str = r#"{"id":"did:web:localhost"}"#;

/// Settings under which the server is trusted.
fn trusting(server: &Server) -> FetchConfig {
    FetchConfig { ca: Some(server.ca_file()), allow_loopback: true, ..FetchConfig::default() }
}

fn fetcher(server: &Server) -> Fetcher {
    Fetcher::new(&trusting(server), None).unwrap()
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<Fetched, FetchError> {
    fetcher.get(url, Kind::DidDocument, ALWAYS).await
}

/// A server that gives the document for every path.
fn documents() -> Server {
    Server::start(|_| Answer::of("application/did+json; charset=utf-8", DOCUMENT))
}

#[tokio::test]
async fn a_did_document_is_fetched_from_a_server_with_its_own_authority() {
    let server = Server::start(|target| match target {
        "/.well-known/did.json" => Answer::of("Application/DID+json; charset=utf-8", DOCUMENT),
        _ => Answer::status(404),
    });
    assert!(server.did().starts_with("did:web:localhost%3A"));
    let before = now();
    let fetched = get(&fetcher(&server), &server.url("/.well-known/did.json#key-1")).await.unwrap();
    assert_eq!(fetched.bytes, DOCUMENT.as_bytes());
    assert_eq!(fetched.content_type.as_deref(), Some("application/did+json"));
    assert!(!fetched.from_cache && fetched.outage.is_none());
    assert!(fetched.fetched >= before && fetched.fetched <= now());

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "/.well-known/did.json");
    assert_eq!(requests[0].header("user-agent"), concat!("knackmesh/", env!("CARGO_PKG_VERSION")));
    assert!(requests[0].header("accept").starts_with("application/did, "));
    assert_eq!(requests[0].header("accept-encoding"), "identity");
    let mut names: Vec<&str> = requests[0].headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[tokio::test]
async fn a_server_that_no_trusted_authority_vouches_for_is_refused() {
    let (server, other) = (documents(), documents());
    for ca in [None, Some(other.ca_file())] {
        let config = FetchConfig { ca, ..trusting(&server) };
        let error = get(&Fetcher::new(&config, None).unwrap(), &server.url("/")).await.unwrap_err();
        assert_eq!(error.code(), "certificate", "{error}");
    }
    // Trusted, but for another name.
    let url = server.url("/").replace("localhost", "wrong.localhost");
    let error = get(&fetcher(&server), &url).await.unwrap_err();
    assert!(matches!(error.code(), "certificate" | "unreachable"), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_file_without_certificates_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ca.pem");
    let check = || {
        let config = FetchConfig { ca: Some(path.clone()), ..FetchConfig::default() };
        assert_eq!(Fetcher::new(&config, None).unwrap_err().code(), "authorities");
    };
    check();
    fs::write(&path, "no certificate").unwrap();
    check();
    fs::write(&path, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    check();
}

#[tokio::test]
async fn a_fresh_copy_is_not_fetched_again() {
    let (server, dir) = (documents(), TempDir::new().unwrap());
    let fetcher = Fetcher::new(&trusting(&server), Some(dir.path().join("cache"))).unwrap();
    let first = fetcher.get(&server.url("/a"), Kind::StatusList, HOUR).await.unwrap();
    let again = fetcher.get(&server.url("/a#b"), Kind::StatusList, HOUR).await.unwrap();
    assert_eq!(again, Fetched { from_cache: true, ..first.clone() });
    assert_eq!(server.requests().len(), 1);
    let asked = fetcher.get(&server.url("/a"), Kind::StatusList, ALWAYS).await.unwrap();
    assert!(!asked.from_cache && asked.fetched >= first.fetched);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn without_the_server_an_old_copy_is_returned_as_old() {
    let (mut server, dir) = (documents(), TempDir::new().unwrap());
    let fetcher = Fetcher::new(&trusting(&server), Some(dir.path().join("cache"))).unwrap();
    let url = server.url("/a");
    let first = get(&fetcher, &url).await.unwrap();
    server.stop();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let briefly = Freshness { max_age_ms: 10 };
    let stale = fetcher.get(&url, Kind::DidDocument, briefly).await.unwrap();
    assert_eq!(stale.outage.as_ref().unwrap().code(), "unreachable");
    assert_eq!((stale.bytes.clone(), stale.fetched, stale.from_cache), (first.bytes, first.fetched, true));
    assert!(stale.age_ms(now()) >= 20);
    // What is fresh enough needs no excuse.
    assert_eq!(fetcher.get(&url, Kind::DidDocument, HOUR).await.unwrap().outage, None);
    let error = get(&fetcher, &server.url("/b")).await.unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
}

#[tokio::test]
async fn an_old_copy_stands_in_for_a_fault_and_not_for_an_answer() {
    let status = Arc::new(std::sync::atomic::AtomicU16::new(200));
    let said = status.clone();
    let server = Server::start(move |_| match said.load(Ordering::Relaxed) {
        200 => Answer::json(DOCUMENT),
        status => Answer::status(status),
    });
    let dir = TempDir::new().unwrap();
    let fetcher = Fetcher::new(&trusting(&server), Some(dir.path().join("cache"))).unwrap();
    let url = server.url("/");
    get(&fetcher, &url).await.unwrap();
    for fault in [500, 503, 429] {
        status.store(fault, Ordering::Relaxed);
        let stale = get(&fetcher, &url).await.unwrap();
        assert_eq!(stale.outage, Some(FetchError::Status { url: url.clone(), status: fault }));
    }
    for answer in [404, 410, 401, 204] {
        status.store(answer, Ordering::Relaxed);
        let error = get(&fetcher, &url).await.unwrap_err();
        assert_eq!(error, FetchError::Status { url: url.clone(), status: answer });
    }
}

#[tokio::test]
async fn offline_only_copies_are_returned() {
    let (server, dir) = (documents(), TempDir::new().unwrap());
    let cache = || Some(dir.path().join("cache"));
    let url = server.url("/a");
    get(&Fetcher::new(&trusting(&server), cache()).unwrap(), &url).await.unwrap();
    let config = FetchConfig { offline: true, ..trusting(&server) };
    let offline = Fetcher::new(&config, cache()).unwrap();
    let fresh = offline.get(&url, Kind::DidDocument, HOUR).await.unwrap();
    assert!(fresh.from_cache && fresh.outage.is_none());
    let old = get(&offline, &url).await.unwrap();
    let outage = old.outage.unwrap();
    assert_eq!(outage.code(), "offline");
    assert!(!outage.to_string().contains("no copy"), "there is one: {outage}");
    let error = get(&offline, &server.url("/b")).await.unwrap_err();
    assert_eq!(error, FetchError::Offline { url: server.url("/b"), kept: false });
    assert!(error.to_string().contains("no copy") && error.hint().contains("--offline"));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn nobody_is_told_of_a_fetch_that_is_not_made() {
    let fetcher = Fetcher::new(&FetchConfig::default(), None).unwrap();
    for url in
        ["https://10.1.2.3/a", "https://[fd00::1]/a", "https://127.0.0.1:8443/a", "https://localhost/a"]
    {
        let told = std::sync::atomic::AtomicBool::new(false);
        let tell = || told.store(true, Ordering::Relaxed);
        let error = fetcher.get_telling(url, Kind::Badge, HOUR, tell).await.unwrap_err();
        assert_eq!(error.code(), "address", "{url}");
        assert!(!told.load(Ordering::Relaxed), "{url}");
    }
}

#[tokio::test]
async fn a_disk_that_takes_nothing_costs_only_the_copies() {
    let (server, dir) = (documents(), TempDir::new().unwrap());
    fs::write(dir.path().join("file"), "").unwrap();
    let fetcher = Fetcher::new(&trusting(&server), Some(dir.path().join("file/cache"))).unwrap();
    for _ in 0..2 {
        assert!(!fetcher.get(&server.url("/"), Kind::Badge, HOUR).await.unwrap().from_cache);
    }
}

#[tokio::test]
async fn redirects_are_followed_and_counted() {
    let server = Server::start(|target| match target {
        "/1" => Answer::redirect("/2"),
        "/2" => Answer::redirect("3?x"),
        "/3?x" => Answer::redirect("./4"),
        "/4" => Answer::json(DOCUMENT),
        _ => Answer::redirect("/loop"),
    });
    let fetcher = fetcher(&server);
    assert_eq!(get(&fetcher, &server.url("/1")).await.unwrap().bytes, DOCUMENT.as_bytes());
    assert_eq!(server.requests().len(), 4);
    let error = get(&fetcher, &server.url("/loop")).await.unwrap_err();
    assert_eq!(error, FetchError::Redirects { url: server.url("/loop") });
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn a_redirect_to_where_no_fetch_may_go_is_refused() {
    let plain = Server::plain(|_| Answer::json("{}"));
    let elsewhere = plain.url("/");
    let server = Server::start(move |target| match target {
        "/private" => Answer::redirect("https://10.0.0.1/admin"),
        "/metadata" => Answer::redirect("//169.254.169.254/latest/meta-data"),
        "/user" => Answer::redirect("https://user@localhost/"),
        "/file" => Answer::redirect("file:///etc/passwd"),
        "/plain" => Answer::redirect(&elsewhere),
        _ => Answer::status(302),
    });
    let fetcher = fetcher(&server);
    for (path, code) in [
        ("/private", "address"),
        ("/metadata", "address"),
        ("/user", "redirect"),
        ("/file", "redirect"),
        ("/plain", "redirect"),
        ("/nowhere", "redirect"),
    ] {
        let error = get(&fetcher, &server.url(path)).await.unwrap_err();
        assert_eq!(error.code(), code, "{path}: {error}");
    }
    assert!(plain.requests().is_empty());
}

#[tokio::test]
async fn this_machine_is_reached_only_where_the_settings_allow_it() {
    let (server, plain) = (documents(), Server::plain(|_| Answer::json(DOCUMENT)));
    assert_eq!(get(&fetcher(&server), &plain.url("/")).await.unwrap().bytes, DOCUMENT.as_bytes());
    let config = FetchConfig { allow_loopback: false, ..trusting(&server) };
    let strict = Fetcher::new(&config, None).unwrap();
    let error = get(&strict, &server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Address { kind: "loopback", .. }), "{error}");
    assert_eq!(get(&strict, &plain.url("/")).await.unwrap_err().code(), "url");
    for url in ["file:///etc/passwd", "http://example.org/", "https://user@example.org/", "\u{1b}[2J"] {
        let error = get(&strict, url).await.unwrap_err();
        assert_eq!(error.code(), "url");
        assert!(!error.to_string().contains('\u{1b}'));
    }
    assert!(server.requests().is_empty());
    assert_eq!(plain.requests().len(), 1);
}

#[tokio::test]
async fn a_body_is_read_up_to_the_bound_of_its_kind() {
    let server = Server::start(|target| Answer::json(vec![b' '; target[1..].parse().unwrap()]));
    let fetcher = fetcher(&server);
    let fits = fetcher.get(&server.url(&format!("/{FETCH_BYTES_MAX}")), Kind::Badge, ALWAYS).await;
    assert_eq!(fits.unwrap().bytes.len(), FETCH_BYTES_MAX);
    let url = server.url(&format!("/{}", FETCH_BYTES_MAX + 1));
    let error = fetcher.get(&url, Kind::Badge, ALWAYS).await.unwrap_err();
    assert_eq!(error, FetchError::TooLarge { url: url.clone(), max: FETCH_BYTES_MAX });
    let list = fetcher.get(&url, Kind::StatusList, ALWAYS).await.unwrap();
    assert_eq!(list.bytes.len(), FETCH_BYTES_MAX + 1);
}

#[tokio::test]
async fn a_body_without_length_is_cut_at_the_bound() {
    let per_byte = Duration::from_millis(1);
    let server = Server::start(move |_| Answer { per_byte, ..Answer::json(vec![b' '; 9]) });
    assert_eq!(get(&fetcher(&server), &server.url("/")).await.unwrap().bytes.len(), 9);
    // By hand, since no sensible server sends without end.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let sent = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut sent = 0;
        while stream.write_all(&[b' '; 65_536]).is_ok() {
            sent += 65_536;
        }
        sent
    });
    let error = get(&fetcher(&server), &url).await.unwrap_err();
    assert_eq!(error, FetchError::TooLarge { url, max: FETCH_BYTES_MAX });
    // Buffers of the system aside.
    assert!(sent.join().unwrap() < 16 * FETCH_BYTES_MAX);
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let server = Server::start(|_| Answer::json(vec![0x1f, 0x8b]).with("content-encoding", "gzip"));
    let error = get(&fetcher(&server), &server.url("/")).await.unwrap_err();
    assert_eq!(error, FetchError::Encoded { url: server.url("/"), encoding: "gzip".into() });
}

#[tokio::test]
async fn a_slow_server_is_not_waited_for() {
    let server = Server::start(|target| match target {
        "/late" => Answer { delay: Duration::from_secs(30), ..Answer::json(DOCUMENT) },
        "/hop" => Answer { delay: Duration::from_millis(400), ..Answer::redirect("/hop") },
        _ => Answer { per_byte: Duration::from_millis(100), ..Answer::json(vec![b' '; 1000]) },
    });
    // Room for a slow machine to shake hands in.
    let config = FetchConfig { timeout_ms: 1000, ..trusting(&server) };
    let fetcher = Fetcher::new(&config, None).unwrap();
    for path in ["/late", "/hop", "/drip"] {
        let begun = Instant::now();
        let error = get(&fetcher, &server.url(path)).await.unwrap_err();
        assert!(matches!(error, FetchError::Timeout { ms: 1000, .. }), "{path}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{path}");
    }
}

#[tokio::test]
async fn who_does_not_speak_http_is_not_understood() {
    for said in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], &[b'x'; 40_000], b"HTTP/1.1 200 OK\r\n\xff\xff"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            use std::io::Write;
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(said);
        });
        let config = FetchConfig { allow_loopback: true, ..FetchConfig::default() };
        let error = get(&Fetcher::new(&config, None).unwrap(), &url).await.unwrap_err();
        assert!(matches!(error.code(), "answer" | "unreachable"), "{error}");
        server.join().unwrap();
    }
}

#[tokio::test]
async fn a_verification_makes_a_bounded_number_of_fetches() {
    let (server, dir) = (documents(), TempDir::new().unwrap());
    let fetcher = Fetcher::new(&trusting(&server), Some(dir.path().join("cache"))).unwrap();
    let verification = fetcher.for_verification();
    let urls: Vec<String> =
        (0..=FETCHES_PER_VERIFICATION_MAX).map(|i| server.url(&format!("/{i}"))).collect();
    let results = futures::future::join_all(urls.iter().map(|url| get(&verification, url))).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), FETCHES_PER_VERIFICATION_MAX);
    let refused = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(refused.code(), "too-many");
    // Copies cost nothing, and the next verification begins anew.
    assert!(verification.get(&urls[0], Kind::DidDocument, HOUR).await.unwrap().from_cache);
    assert!(get(&fetcher.for_verification(), &urls[0]).await.is_ok());
    assert!(get(&fetcher, &urls[1]).await.is_ok());
}

#[tokio::test]
async fn few_fetches_run_at_once() {
    let delay = Duration::from_millis(50);
    let server = Server::start(move |_| Answer { delay, ..Answer::json(DOCUMENT) });
    let fetcher = fetcher(&server);
    let urls: Vec<String> = (0..3 * FETCHES_AT_ONCE_MAX).map(|i| server.url(&format!("/{i}"))).collect();
    let begun = Instant::now();
    let results = futures::future::join_all(urls.iter().map(|url| get(&fetcher, url))).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(begun.elapsed() >= 3 * delay, "{:?}", begun.elapsed());
    assert_eq!(fetcher.at_once.available_permits(), FETCHES_AT_ONCE_MAX);
}
