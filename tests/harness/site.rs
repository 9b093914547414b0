//! An organisation on the web of this machine: it issues as a did:web, and publishes what others need to verify that.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::UNIX_EPOCH,
};

use knackmesh_protocol::{
    credential::{
        Credential, Format, Signer,
        bitstring::Bitstring,
        issuing,
        open_badge::{AlignedSkill, Issuance},
        status::{Publication, Purpose, StatusEntry},
    },
    did::{
        Origin,
        linkage::{self, Entry, Statement},
        web,
    },
    key::{Did, SecretKey, SigningKey},
    skill::Level,
    time::Timestamp,
};
use serde_json::{Map, Value};

use super::{
    Knack,
    https::{Answer, Server},
};

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

pub struct Site {
    pub server: Server,
    pages: Arc<Mutex<BTreeMap<String, Answer>>>,
    key: SigningKey,
    /// Whether it issues as the did:key of its key, which others need not be asked for.
    keyed: bool,
}

impl Site {
    /// A site whose document is published.
    pub fn new() -> Self {
        let pages = Arc::new(Mutex::new(BTreeMap::<String, Answer>::new()));
        let shown = pages.clone();
        let server = Server::start(move |target| {
            shown.lock().expect("pages").get(target).cloned().unwrap_or_else(|| Answer::status(404))
        });
        let site = Site { server, pages, key: SecretKey::from_seed([9; 32]).into(), keyed: false };
        let document = web::document(&site.did(), &[site.key.public()], &[]).expect("a did:web");
        site.put("/.well-known/did.json", &Value::Object(document).to_string());
        site
    }

    /// A site of which others need nothing but its status lists.
    pub fn keyed() -> Self {
        Site { keyed: true, ..Site::new() }
    }

    pub fn did(&self) -> Did {
        if self.keyed { self.key.did() } else { self.server.did().parse().expect("a DID") }
    }

    pub fn signer(&self) -> Signer {
        if self.keyed {
            return Signer::of_key(self.key.clone());
        }
        let multikey = self.key.public().multikey().expect("Ed25519");
        Signer::of_document(self.did(), &multikey, self.key.clone())
    }

    /// Publishes JSON at a path.
    pub fn put(&self, path: &str, body: &str) {
        self.answer(path, Answer::json(body));
    }

    pub fn answer(&self, path: &str, answer: Answer) {
        self.pages.lock().expect("pages").insert(path.to_owned(), answer);
    }

    /// Makes the home fetch from here.
    pub fn trusted_by(&self, knack: &Knack) {
        self.trusted_with(knack, "");
    }

    /// The same, with more settings of fetching.
    pub fn trusted_with(&self, knack: &Knack, more: &str) {
        let config = format!("[fetch]\nca = {:?}\nallow_loopback = true\n{more}\n", self.server.ca_file());
        fs::write(knack.home().join("config.toml"), config).expect("written");
    }

    /// What was asked for until now.
    pub fn asked(&self) -> Vec<String> {
        self.server.requests().into_iter().map(|got| got.target).collect()
    }

    /// A credential for `subject`, with a place in the status list at `/status`.
    pub fn award(&self, subject: &str, format: Format) -> Credential {
        let entry =
            StatusEntry { purpose: Purpose::Revocation, index: 7, list: self.server.url("/status"), size: 1 };
        let issuance = issuance(self.did(), subject, vec![entry]);
        issuance.sign(&self.signer(), format, now()).expect("issued")
    }

    /// Publishes the status list, signed at `at`; what it says.
    pub fn publish_status(&self, revoked: bool, at: Timestamp) -> String {
        self.publish_status_for(revoked, at, None)
    }

    /// The same, to be asked for again after so long.
    pub fn publish_status_for(&self, revoked: bool, at: Timestamp, ttl_ms: Option<u64>) -> String {
        let mut bits = Bitstring::new(131_072, 1).expect("a list");
        bits.set(7, u8::from(revoked)).expect("a place");
        let list = Publication {
            url: &self.server.url("/status"),
            issuer: &self.did(),
            purpose: &Purpose::Revocation,
            bits: &bits,
            valid_from: at,
            valid_until: None,
            ttl_ms,
        };
        let signed = issuing::sign(list.document(), Format::Jcs, &self.signer(), at).expect("signed");
        self.put("/status", signed.text());
        signed.text().to_owned()
    }

    /// Publishes that `signer` is this organisation's.
    pub fn link(&self, signer: &Signer) {
        let origin: Origin = web::origin_of(&self.did()).expect("an origin");
        let statement = Statement {
            did: signer.controller().clone(),
            origin,
            valid_from: Timestamp::from_unix_ms(now().unix_ms() - DAY_MS),
            valid_until: now().plus_ms(DAY_MS),
        };
        let signed = issuing::sign(statement.credential(), Format::Jcs, signer, now()).expect("signed");
        let list = linkage::configuration(vec![Entry::Credential(signed.document().clone())]);
        self.put("/.well-known/did-configuration.json", &Value::Object(list).to_string());
    }
}

/// What an issuer says of `subject`.
pub fn issuance(issuer: Did, subject: &str, status: Vec<StatusEntry>) -> Issuance {
    Issuance {
        nonce: [3; 16],
        issuer,
        issuer_name: Some("Example Academy".into()),
        subject: subject.parse().expect("a DID"),
        name: "Systems programming".into(),
        description: "Wrote a concurrent store.".into(),
        criteria: None,
        skills: vec![AlignedSkill {
            skill: "urn:knackmesh:onet:43232402:rust".parse().expect("a skill"),
            label: "Rust".into(),
            framework: Some("O*NET".into()),
        }],
        level: Level::try_from(4).expect("a level"),
        valid_from: Timestamp::from_unix_ms(now().unix_ms() - DAY_MS),
        valid_until: None,
        status,
    }
}

/// A document, signed by the key of this seed as its `did:key`.
pub fn signed(mut document: Map<String, Value>, seed: u8) -> Credential {
    let key = SecretKey::from_seed([seed; 32]);
    document.insert("issuer".into(), Value::String(key.did().to_string()));
    issuing::sign(document, Format::Jcs, &(&key).into(), now()).expect("signed")
}

pub fn now() -> Timestamp {
    let ms = UNIX_EPOCH.elapsed().expect("after 1970").as_millis();
    Timestamp::from_unix_ms(u64::try_from(ms).expect("soon"))
}
