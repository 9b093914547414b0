#![allow(clippy::unwrap_used)]

use knackmesh_protocol::{
    credential::{Check, Known, TrustList, Verifier, status::StatusList},
    did::Documents,
    key::SecretKey,
    skill::Level,
};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    control::{Request, StatusOrder},
    home::Home,
};

const URL: &str = "https://school.example/status";

struct Office {
    _dir: TempDir,
    home: Home,
    node: Node,
}

impl Office {
    fn new(settings: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let home = Home::find(Some(dir.path().join("home"))).unwrap();
        home.init().unwrap();
        let node = Node::open(&home).unwrap();
        let office = Office { _dir: dir, home, node };
        office.set(settings);
        office
    }

    fn set(&self, settings: &str) {
        std::fs::write(self.home.dir().join("config.toml"), settings).unwrap();
    }

    async fn ask(&mut self, request: Request) -> Result<Reply, Refusal> {
        self.node.execute(request).await
    }

    async fn issue(&mut self, order: IssueOrder) -> Result<Credential, Refusal> {
        match self.ask(Request::Issue(Box::new(order))).await? {
            Reply::Issued(text) => Ok(Credential::parse(&text).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    async fn sign(&mut self, document: Value, status: bool) -> Result<Credential, Refusal> {
        let Value::Object(document) = document else { panic!("an object") };
        let order = SignOrder { document, format: Format::Jcs, algorithm: None, status };
        match self.ask(Request::Sign(order)).await? {
            Reply::Issued(text) => Ok(Credential::parse(&text).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    async fn set_status(&mut self, id: &str, purpose: Purpose, set: bool) -> Result<bool, Refusal> {
        let order = StatusOrder { id: id.into(), purpose, set, reason: Some("asked to".into()) };
        match self.ask(Request::SetStatus(order)).await? {
            Reply::StatusSet { changed, .. } => Ok(changed),
            other => panic!("{other:?}"),
        }
    }

    /// What a verifier who has every list finds.
    async fn unrevoked(&mut self, credential: &Credential) -> Check {
        let Reply::StatusLists(rows) = self.ask(Request::StatusLists { format: Format::Jcs }).await.unwrap()
        else {
            panic!("lists")
        };
        let mut known = Known::default();
        for row in rows {
            let list = StatusList::verify(&row.text, None, &Documents::new()).unwrap();
            assert_eq!(list.url(), row.url);
            known.status_lists.insert(list).unwrap();
        }
        let trust = TrustList::default();
        credential.verify(&Verifier::new(now(), &trust).knowing(&known)).unrevoked
    }
}

fn order(once: Option<&str>) -> IssueOrder {
    let subject = SecretKey::from_seed([2; 32]).did();
    IssueOrder {
        status: true,
        once: once.map(str::to_owned),
        ..IssueOrder::new(subject, vec!["rust".into()], Level::MAX)
    }
}

fn with_status() -> Office {
    Office::new(&format!("[issuer]\nname = \"School\"\nstatus_url = \"{URL}\"\n"))
}

fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:a",
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:ada", "https://schema.org/name": "Ada"},
    })
}

#[tokio::test]
async fn a_status_is_seen_by_whoever_reads_the_lists() {
    let mut office = with_status();
    for (format, algorithm) in [
        (Format::Jcs, Algorithm::EdDsa),
        (Format::Jcs, Algorithm::Es256),
        (Format::VcJwt, Algorithm::EdDsa),
        (Format::SdJwt, Algorithm::Es256),
    ] {
        let order = IssueOrder { format, algorithm: Some(algorithm), ..order(None) };
        let credential = office.issue(order).await.unwrap();
        let id = id_of(&credential);
        assert_eq!(office.unrevoked(&credential).await, Check::Pass, "{format} {algorithm:?}");
        assert!(office.set_status(&id, Purpose::Suspension, true).await.unwrap());
        assert!(!office.set_status(&id, Purpose::Suspension, true).await.unwrap(), "nothing changed");
        assert_eq!(office.unrevoked(&credential).await, Check::Fail);
        assert!(office.set_status(&id, Purpose::Suspension, false).await.unwrap());
        assert_eq!(office.unrevoked(&credential).await, Check::Pass);
        assert!(office.set_status(&id, Purpose::Revocation, true).await.unwrap());
        assert_eq!(office.unrevoked(&credential).await, Check::Fail);
        for (purpose, set) in
            [(Purpose::Revocation, false), (Purpose::Suspension, false), (Purpose::Suspension, true)]
        {
            let refusal = office.set_status(&id, purpose, set).await.unwrap_err();
            assert_eq!(refusal.exit, Exit::Refused, "{refusal}");
        }
        assert!(!office.set_status(&id, Purpose::Revocation, true).await.unwrap());
    }
    let Reply::IssuedList(page) = office.ask(Request::Issued { from: 0 }).await.unwrap() else {
        panic!("a page")
    };
    assert_eq!((page.rows.len(), page.next), (4, None));
    assert!(page.rows.iter().all(|row| row.status[0].reason.as_deref() == Some("asked to")));
    // The lists of the two keys are of two issuers.
    assert_eq!(page.rows[0].status[0].list, format!("{URL}/revocation-1"));
    assert_eq!(page.rows[1].status[0].list, format!("{URL}/revocation-2"));
}

#[tokio::test]
async fn a_list_holds_for_a_time_and_is_found_by_its_name() {
    let mut office = with_status();
    office.issue(order(None)).await.unwrap();
    let list = |name: &str| Request::StatusList { name: name.into(), format: Format::Jcs };
    let Reply::StatusList(text) = office.ask(list("suspension-1")).await.unwrap() else { panic!("a list") };
    let credential = Credential::parse(&text).unwrap();
    assert_eq!(credential.document()["id"], format!("{URL}/suspension-1"));
    assert!(credential.document()["credentialSubject"]["ttl"].is_u64());
    assert!(credential.valid_until() > credential.valid_from());
    for name in ["suspension-2", "message-1", "revocation-01", ""] {
        assert_eq!(office.ask(list(name)).await.unwrap_err().exit, Exit::Failed, "{name}");
    }
}

#[tokio::test]
async fn under_one_name_nothing_is_issued_twice() {
    let mut office = with_status();
    let orders = || vec![order(Some("a")), order(Some("b"))];
    let many = |orders, dry| Request::IssueMany { orders, dry };
    let issued = async |office: &mut Office, request| match office.ask(request).await.unwrap() {
        Reply::IssuedMany(all) => all.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let dry = issued(&mut office, many(orders(), true)).await;
    assert!(dry.iter().all(|one| one.text.is_empty() && !one.before));
    let first = issued(&mut office, many(orders(), false)).await;
    assert_eq!(first[0].id, dry[0].id);
    let Office { home, node, _dir } = office;
    drop(node);
    let mut office = Office { node: Node::open(&home).unwrap(), home, _dir };
    let second = issued(&mut office, many(orders(), false)).await;
    for (first, second) in first.iter().zip(&second) {
        assert!(!first.before && second.before);
        assert_eq!(first.text, second.text);
    }
}

#[tokio::test]
async fn any_document_is_signed_and_its_id_is_its_own() {
    let mut office = with_status();
    let credential = office.sign(document(), true).await.unwrap();
    assert_eq!(credential.issuer_did(), Some(&office.node.identity.root.did()));
    assert_eq!(credential.document()["credentialStatus"].as_array().map(Vec::len), Some(2));
    assert_eq!(office.unrevoked(&credential).await, Check::Pass);
    assert_eq!(office.sign(document(), true).await.unwrap_err().exit, Exit::Refused);

    let key = SigningKey::p256_beside(&office.node.identity.root).did();
    let mut other = document();
    other["id"] = json!("urn:uuid:b");
    other["issuer"] = json!({"id": key});
    let credential = office.sign(other.clone(), false).await.unwrap();
    assert_eq!(credential.document()["proof"]["cryptosuite"], "ecdsa-jcs-2019");
    assert!(office.sign(other.clone(), false).await.is_ok(), "without a status it may be signed anew");
    other["issuer"] = json!("did:web:another.example");
    assert_eq!(office.sign(other, false).await.unwrap_err().exit, Exit::Usage);
}

#[tokio::test]
async fn settings_decide_who_signs_and_where_lists_are() {
    let mut office = Office::new("");
    let refusal = office.issue(order(None)).await.unwrap_err();
    assert!(refusal.hint.contains("status_url"), "{refusal:?}");
    for url in ["http://school.example", "https:", "ftp://a", "https://a/?q", "https://a/ b"] {
        office.set(&format!("[issuer]\nstatus_url = \"{url}\"\n"));
        assert!(office.issue(order(None)).await.is_err(), "{url}");
    }
    office.set(&format!(
        "[issuer]\nstatus_url = \"{URL}/\"\ndid = \"did:web:school.example\"\nkey = \"key-1\"\n"
    ));
    let credential = office.issue(order(None)).await.unwrap();
    assert_eq!(credential.issuer(), "did:web:school.example");
    assert_eq!(credential.document()["proof"]["verificationMethod"], "did:web:school.example#key-1");
    assert_eq!(
        credential.document()["credentialStatus"][0]["statusListCredential"],
        format!("{URL}/revocation-1")
    );
    office.set("[issuer]\ndid = \"did:example:other\"\n");
    assert!(office.issue(IssueOrder { status: false, ..order(None) }).await.is_err());
}
