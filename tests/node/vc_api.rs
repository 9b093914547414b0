//! The VC-API over real HTTP: what it signs, what it says of what is signed, and whom it does not answer.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::mpsc,
};

use knackmesh::control::{self, Reply, Request, StatusOrder};
use knackmesh_protocol::{
    credential::status::Purpose,
    limits::{API_BODY_BYTES_MAX, API_CONNECTIONS_MAX},
};
use serde_json::{Value, json};

use crate::harness::{Knack, PATIENCE, text, until};

const V2: &str = "https://www.w3.org/ns/credentials/v2";

/// A server, ended with the test.
struct Api {
    process: Child,
    url: String,
    address: String,
    did: String,
}

/// What came back.
struct Answer {
    status: u16,
    content_type: String,
    body: Value,
}

impl Answer {
    #[track_caller]
    fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// A refusal with that code, as problem details.
    #[track_caller]
    fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.content_type, "application/problem+json");
        let body = self.with(status);
        assert_eq!(body["code"], code, "{body}");
        for member in ["type", "title", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {body}");
        }
        body
    }
}

impl Api {
    fn start(home: &Knack, args: &[&str]) -> Self {
        let mut command = home.command(&["serve", "vc-api", "--listen", "127.0.0.1:0", "--json"]);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the program runs");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)))
        });
        let line = lines.recv_timeout(PATIENCE).expect("it says where it listens, in one line");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let url = text(&ready["url"]);
        let address = url.split("://").nth(1).expect("a URL").to_owned();
        Api { process, url, address, did: text(&ready["did"]) }
    }

    fn request(&self, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let head = head.replace("{host}", &self.address);
        let length = body.len();
        let _ = write!(stream, "{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        let mut answer = String::new();
        // Who refuses a body does not read it, and the rest of it breaks the connection.
        let _ = stream.read_to_string(&mut answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        assert_eq!(header("access-control-allow-origin"), None);
        Answer {
            status: head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status"),
            content_type: header("content-type").unwrap_or_default(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let head = format!("POST {path} HTTP/1.1\r\nhost: {{host}}\r\ncontent-type: application/json");
        self.request(&head, &body.to_string())
    }

    fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path} HTTP/1.1\r\nhost: {{host}}"), "")
    }

    #[track_caller]
    fn issue(&self, prefix: &str, credential: Value) -> Value {
        let body = json!({"credential": credential});
        self.post(&format!("{prefix}/credentials/issue"), &body).with(201)["verifiableCredential"].clone()
    }

    fn verify(&self, credential: &Value, options: Value) -> Answer {
        let body = json!({"verifiableCredential": credential, "options": options});
        self.post("/credentials/verify", &body)
    }

    fn stop(mut self) {
        let terminate = format!("kill -TERM {}", self.process.id());
        Command::new("sh").args(["-c", &terminate]).status().expect("a shell");
        let ended = until("the server ends", || self.process.try_wait().expect("our child"));
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A credential that nobody has signed.
fn credential() -> Value {
    json!({
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": {"id": "https://issuer.example/", "name": "Whoever"},
        "credentialSubject": {"id": "did:example:ada", "name": "Ada"},
    })
}

fn changed(value: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut copy = value.clone();
    change(&mut copy);
    copy
}

#[test]
fn each_form_is_issued_in_our_name_and_verified() {
    let home = Knack::new("home");
    let api = Api::start(&home, &[]);
    for prefix in ["", "/jcs", "/rdfc", "/status", "/jwt"] {
        let issued = api.issue(prefix, credential());
        let body = api.verify(&issued, json!({"checks": ["proof"]})).with(200);
        assert_eq!(body["verified"], true);
        assert_eq!(body["recognised"], false, "nobody is on the trust list");
        for (check, outcome) in
            [("untampered", "PASS"), ("trusted_issuer", "NOT_CHECKED"), ("unexpired", "PASS")]
        {
            assert_eq!(body["checks"][check], outcome, "{body}");
        }
        if prefix == "/jwt" {
            assert_eq!(issued["type"], json!(["EnvelopedVerifiableCredential"]));
        } else {
            assert_eq!(issued["issuer"], json!({"id": api.did, "name": "Whoever"}));
            let forged = changed(&issued, |c| c["credentialSubject"]["name"] = json!("Eve"));
            let body = api.verify(&forged, json!({})).problem(400, "proof-bad-signature");
            assert_eq!(body["verified"], false);
            assert_eq!(body["checks"]["untampered"], "FAIL");
        }
    }
    home.json(&["trust", "add", &api.did]);
    let issued = api.issue("", credential());
    assert_eq!(api.verify(&issued, json!({})).with(200)["recognised"], true);
    api.stop();
    assert_eq!(home.status()["running"], false, "the home is free again");
}

#[test]
fn what_nobody_should_sign_is_refused() {
    let home = Knack::new("home");
    let api = Api::start(&home, &[]);
    let refused = |credential: &Value, code: &str| {
        for prefix in ["/jcs", "/rdfc", "/status"] {
            let path = format!("{prefix}/credentials/issue");
            api.post(&path, &json!({"credential": credential})).problem(400, code);
        }
    };
    let with = |name: &str, value: Value| changed(&credential(), |c| c[name] = value);
    for (name, value, code) in [
        ("@context", json!([V2, "https ://a.example"]), "context"),
        ("@context", json!([V2, "https://a.example/unknown"]), "rdf-unknown-context"),
        ("type", json!(["VerifiableCredential", "Undefined"]), "rdf-not-an-iri"),
        ("type", json!(4), "type"),
        ("issuer", json!("nobody"), "issuer"),
        ("issuer", json!(["did:example:a"]), "issuer"),
        ("credentialSubject", json!({}), "subject"),
        ("credentialSubject", json!({"id": "did:example:ada", "undefined": 1}), "rdf-undefined-term"),
        ("validFrom", json!("2026-01-01T00:00:00"), "date"),
        ("evidence", json!({}), "property"),
        ("relatedResource", json!({"id": V2, "digestSRI": "sha256-AAAA"}), "property"),
        ("proof", json!({}), "signed-already"),
    ] {
        refused(&with(name, value), code);
    }
    refused(&changed(&credential(), |c| drop(c.as_object_mut().map(|c| c.remove("issuer")))), "issuer");
    api.post("/credentials/issue", &json!({})).problem(400, "missing");
    api.post("/credentials/issue", &json!({"credential": 1})).problem(400, "not-an-object");
    api.post("/credentials/issue", &json!({"credential": credential(), "options": 1}))
        .problem(400, "not-an-object");
    api.post("/credentials/verify", &json!({"options": {}})).problem(400, "missing");
}

#[test]
fn a_credential_is_verified_for_what_was_asked() {
    let home = Knack::new("home");
    let api = Api::start(&home, &[]);
    let issued = api.issue("/rdfc", credential());
    for (options, code) in [
        (json!({"expectedProofPurpose": "authentication"}), "proof-wrong-purpose"),
        (json!({"expectedProofPurpose": "anything"}), "option"),
        (json!({"challenge": "c"}), "proof-wrong-challenge"),
        (json!({"domain": "d"}), "proof-wrong-domain"),
        (json!({"domain": 7}), "option"),
    ] {
        assert_eq!(api.verify(&issued, options).problem(400, code)["verified"], false);
    }
    api.verify(&issued, json!({"expectedProofPurpose": "assertionMethod", "challenge": null})).with(200);
    let expired = api.issue("", changed(&credential(), |c| c["validUntil"] = json!("2020-01-01T00:00:00Z")));
    assert_eq!(api.verify(&expired, json!({})).problem(400, "expired")["checks"]["unexpired"], "FAIL");
    // Signed by nobody here, and with a term that means nothing.
    let meaningless = changed(&issued, |c| c["undefined"] = json!(1));
    api.verify(&meaningless, json!({})).problem(400, "rdf-undefined-term");
    for nothing in [json!(null), json!(7), json!([]), json!({}), json!("ey"), json!({"type": ["Other"]})] {
        assert_eq!(api.verify(&nothing, json!({})).with(400)["verified"], false);
    }
}

#[tokio::test]
async fn a_status_is_published_and_counts() {
    let home = Knack::new("home");
    let api = Api::start(&home, &[]);
    let id = "urn:uuid:0d6c6e3a-6a0c-4d6c-8a60-2b5d3c6a1d8e";
    let issued = api.issue("/status", changed(&credential(), |c| c["id"] = json!(id)));
    let entries = issued["credentialStatus"].as_array().expect("entries");
    for entry in entries {
        let list = text(&entry["statusListCredential"]);
        let path = list.strip_prefix(&api.url).expect("our own list");
        let answer = api.get(path);
        assert_eq!(answer.content_type, "application/ld+json");
        let list = answer.with(200);
        assert_eq!(list["credentialSubject"]["statusPurpose"], entry["statusPurpose"]);
        api.verify(&list, json!({})).with(200);
    }
    assert_eq!(api.verify(&issued, json!({})).with(200)["checks"]["unrevoked"], "PASS");
    let order = StatusOrder { id: id.into(), purpose: Purpose::Revocation, set: true, reason: None };
    let socket = home.home().join("control.sock");
    let reply = control::ask(&socket, &Request::SetStatus(order)).await.expect("the server keeps the home");
    assert!(matches!(reply, Ok(Reply::StatusSet { changed: true, .. })), "{reply:?}");
    let body = api.verify(&issued, json!({})).problem(400, "revoked");
    assert_eq!(body["checks"]["unrevoked"], "FAIL");
    api.get("/status-lists/other").problem(404, "not-found");
}

#[test]
fn what_others_publish_is_fetched_where_the_operator_says_so() {
    let [school, other] = Knack::cast(["school", "other"]);
    let issuer = Api::start(&school, &[]);
    let issued = issuer.issue("/status", credential());
    let verifier = Api::start(&other, &[]);
    let body = verifier.verify(&issued, json!({})).problem(400, "status-not-checked");
    assert_eq!(body["type"], "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR");
    assert_eq!(body["checks"]["unrevoked"], "NOT_CHECKED");
    verifier.stop();
    // The list is on this machine, which nothing is fetched from unless the settings say so.
    let settings = other.home().join("config.toml");
    let text = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, text.replace("allow_loopback = false", "allow_loopback = true")).expect("written");
    let verifier = Api::start(&other, &["--fetch"]);
    assert_eq!(verifier.verify(&issued, json!({})).with(200)["checks"]["unrevoked"], "PASS");
    let presentation = json!({
        "@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [issued],
    });
    let body = issuer.post("/presentations/issue", &json!({"presentation": presentation})).with(201);
    let body = json!({"verifiablePresentation": body["verifiablePresentation"]});
    verifier.post("/presentations/verify", &body).with(200);
}

#[test]
fn presentations_are_signed_and_verified() {
    let home = Knack::new("home");
    let api = Api::start(&home, &[]);
    let about_us = |prefix: &str| {
        let credential = changed(&credential(), |c| c["credentialSubject"]["id"] = json!(api.did));
        api.issue(prefix, credential)
    };
    let options = json!({"challenge": "c-1", "domain": "verifier.example"});
    for prefix in ["/jcs", "/rdfc", "/jwt"] {
        let presentation = json!({
            "@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [about_us(prefix)],
        });
        let path = |what: &str| format!("{prefix}/presentations/{what}");
        let body = json!({"presentation": presentation, "options": options});
        let signed = api.post(&path("issue"), &body).with(201)["verifiablePresentation"].clone();
        let verify = |presentation: &Value, options: Value| {
            let body = json!({"verifiablePresentation": presentation, "options": options});
            api.post(&path("verify"), &body)
        };
        let body = verify(&signed, options.clone()).with(200);
        assert_eq!((&body["verified"], &body["holder"]), (&json!(true), &json!(api.did)));
        assert_eq!(body["credentialResults"][0]["checks"]["trusted_holder"], "PASS");
        verify(&signed, json!({})).with(200);
        let other = json!({"challenge": "c-2", "domain": "verifier.example"});
        let body = verify(&signed, other).problem(400, "proof-wrong-challenge");
        assert_eq!(body["type"], "https://w3id.org/security#INVALID_CHALLENGE_ERROR");
        verify(&signed, json!({"domain": "other.example"})).problem(400, "proof-wrong-domain");
        let unsigned = verify(&presentation, options.clone()).problem(400, "proof-missing");
        assert_eq!(unsigned["verified"], false);
    }
    // Who was shown what is recorded.
    let rows = home.json(&["disclosures"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(3), "{rows:#}");
    assert_eq!(
        (&rows[0]["to"], rows[0]["credentials"].as_array().map(Vec::len)),
        (&json!("verifier.example"), Some(1))
    );
    // A holder who shows what is about another is told apart, and verified all the same.
    let presentation = |credentials: Value| json!({"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": credentials});
    let sign = |presentation: Value| {
        let body = api.post("/presentations/issue", &json!({"presentation": presentation}));
        body.with(201)["verifiablePresentation"].clone()
    };
    let verify = |presentation: &Value| {
        api.post("/presentations/verify", &json!({"verifiablePresentation": presentation}))
    };
    let body = verify(&sign(presentation(json!([api.issue("", credential())])))).with(200);
    assert_eq!(body["credentialResults"][0]["checks"]["trusted_holder"], "FAIL");
    let expired = api.issue("", changed(&credential(), |c| c["validUntil"] = json!("2020-01-01T00:00:00Z")));
    let body = verify(&sign(presentation(json!([about_us(""), expired])))).problem(400, "expired");
    assert_eq!(body["index"], 1);
    assert_eq!(verify(&sign(presentation(json!([])))).with(200)["recognised"], false);
    for bad in [
        changed(&presentation(json!([])), |p| p["holder"] = json!("did:example:other")),
        changed(&presentation(json!([])), |p| p["undefined"] = json!(1)),
        presentation(json!(["https://a.example"])),
        json!({}),
    ] {
        api.post("/presentations/issue", &json!({"presentation": bad})).with(400);
    }
}

#[test]
fn dids_are_resolved() {
    let home = Knack::new("home");
    let api = Api::start(&home, &[]);
    let answer = api.get(&format!("/identifiers/{}", api.did));
    assert_eq!(answer.content_type, "application/did-resolution");
    assert_eq!(answer.with(200)["didDocument"]["id"], json!(api.did));
    let key = api.did.trim_start_matches("did:key:");
    let url = format!("/identifiers/did%3Akey%3A{key}%23{key}");
    assert_eq!(api.get(&url).with(200)["didDocument"]["controller"], json!(api.did));
    let body = api.get("/identifiers/did:key:nothing").with(400);
    assert_eq!(body["didResolutionMetadata"]["error"], "invalidDid");
    assert_eq!(body["didDocument"], json!({}));
    let unknown = api.get(&format!("/identifiers/{}?publicKeyFormat=unknown", api.did)).with(400);
    assert_eq!(unknown["didResolutionMetadata"]["error"], "unsupportedPublicKeyType");
    assert_eq!(api.get("/identifiers/did:example:1").with(501)["didDocumentMetadata"], json!({}));
}

#[test]
fn a_running_node_is_asked_to_sign() {
    let mut home = Knack::new("home");
    home.up(&[]);
    let api = Api::start(&home, &[]);
    let issued = api.issue("/status", credential());
    api.verify(&issued, json!({})).with(200);
    api.stop();
    assert_eq!(home.status()["running"], true, "the node goes on");
    let api = Api::start(&home, &[]);
    assert!(home.stop().success());
    let answer = api.post("/credentials/issue", &json!({"credential": credential()}));
    answer.problem(500, "internal-error");
}

#[test]
fn what_is_no_request_of_a_program_here_is_refused() {
    let home = Knack::new("home");
    let api = Api::start(&home, &["--public-url", "http://127.0.0.1:1/api/"]);
    assert_eq!(api.url, "http://127.0.0.1:1/api");
    // Where it really listens, it says on stderr; here it is found out.
    drop(api);
    let api = Api::start(&home, &[]);
    let post =
        |head: &str, body: &str| api.request(&format!("POST /credentials/issue HTTP/1.1\r\n{head}"), body);
    let body = json!({"credential": credential()}).to_string();
    post("host: localhost\r\ncontent-type: application/ld+json; charset=utf-8", &body).with(201);
    // A page whose name leads here, and a form on any page.
    post("host: page.example\r\ncontent-type: application/json", &body).problem(421, "misdirected-request");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let head = format!("host: localhost\r\ncontent-type: {content_type}");
        post(&head, &body).problem(415, "unsupported-media-type");
    }
    let json = "host: localhost\r\ncontent-type: application/json";
    for (body, code) in
        [("", "json-syntax"), ("[]", "not-an-object"), (r#"{"a":1,"a":1}"#, "json-repeated-key")]
    {
        post(json, body).problem(400, code);
    }
    post(json, &"[".repeat(100_000)).problem(400, "json-too-deep");
    let long = " ".repeat(API_BODY_BYTES_MAX + 1);
    post(json, &long).problem(413, "payload-too-large");
    api.get("/credentials/issue").problem(405, "method-not-allowed");
    api.get("/").problem(404, "not-found");
    api.request("OPTIONS /credentials/issue HTTP/1.1\r\nhost: {host}\r\norigin: https://page.example", "")
        .with(405);
}

#[test]
fn connections_have_a_bound() {
    let home = Knack::new("home");
    let api = Api::start(&home, &[]);
    let connect = || TcpStream::connect(&api.address).expect("the system takes it");
    let idle: Vec<TcpStream> = (0..API_CONNECTIONS_MAX + 3).map(|_| connect()).collect();
    idle.iter().for_each(|stream| stream.set_nonblocking(true).expect("set"));
    let is_closed = |mut stream: &TcpStream| match stream.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(e) => e.kind() != ErrorKind::WouldBlock,
    };
    // Not always the last ones: they are let in side by side.
    until("as many are closed as are too many", || {
        (idle.iter().filter(|stream| is_closed(stream)).count() == 3).then_some(())
    });
    drop(idle);
    until("there is room again", || {
        let mut stream = connect();
        let request =
            format!("GET /identifiers/x HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", api.address);
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok().filter(|_| answer.starts_with("HTTP/1.1 400"))
    });
}

#[test]
fn it_speaks_tls_with_a_certificate_of_its_own() {
    let home = Knack::new("home");
    let api = Api::start(&home, &["--tls-self-signed"]);
    assert!(api.url.starts_with("https://127.0.0.1:"), "{}", api.url);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = ureq::tls::TlsConfig::builder().disable_verification(true);
    let tls = tls.unversioned_rustls_crypto_provider(provider).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let url = format!("{}/identifiers/{}", api.url, api.did);
    let mut answer = agent.get(&url).call().expect("an answer");
    let body: Value = serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON");
    assert_eq!(body["didDocument"]["id"], json!(api.did));
    let strict: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(
            ureq::tls::TlsConfig::builder()
                .unversioned_rustls_crypto_provider(std::sync::Arc::new(
                    rustls::crypto::ring::default_provider(),
                ))
                .build(),
        )
        .build()
        .into();
    assert!(strict.get(&url).call().is_err(), "nobody vouches for it");
}
