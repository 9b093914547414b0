//! People in this process: keys, credentials, a published view, an inquiry and its answer.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    consent::{Consent, Present},
    credential::{
        Credential, Format, Known, TrustList, VerifiedCredential, Verifier,
        open_badge::{AlignedSkill, Issuance},
    },
    id::{Id, NodeId},
    inquiry::{Disclosure, Inquiry, Nonce, Undertaking},
    key::{PublicKey, SecretKey},
    peer::{Change, Identity, Index, Lent, Memory, Nominated, Output, Peer, Wallet},
    query::Query,
    signed::Signed,
    skill::{Level, SkillId},
    summary::{Content, Opening, Reach, Summary, Terms},
    time::Timestamp,
    vocabulary::Vocabulary,
};

/// When everything here happens.
pub const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

pub const RUST: &str = "urn:knackmesh:onet:43232402:rust";

pub fn skill() -> SkillId {
    RUST.parse().expect("a skill's URI")
}

/// A person, or an organisation, whose three keys derive from `n`.
pub fn identity(n: u8) -> Identity {
    let node_id = NodeId::from_bytes(vec![n; 38]).expect("a node id");
    Identity {
        root: SecretKey::from_seed([n; 32]),
        view: SecretKey::from_seed([n ^ 0x40; 32]),
        node: SecretKey::from_seed([n ^ 0x80; 32]),
        node_id,
    }
}

/// A credential for Rust at level 4, signed by `issuer` about `holder`.
pub fn credential(issuer: &Identity, holder: &Identity) -> Credential {
    let issuance = Issuance {
        nonce: [7; 16],
        issuer: issuer.root.did(),
        issuer_name: None,
        subject: holder.root.did(),
        name: "Rust".to_owned(),
        description: "Rust, level 4 of 5".to_owned(),
        criteria: None,
        skills: vec![AlignedSkill { skill: skill(), label: "Rust".to_owned(), framework: None }],
        level: Level::try_from(4).expect("a level"),
        valid_from: NOW,
        valid_until: None,
        status: Vec::new(),
    };
    issuance.sign(&(&issuer.root).into(), Format::Jcs, NOW).expect("a credential")
}

/// What a holder of `credential` can publish, and what opens its commitments.
pub fn draft(holder: &Identity, credential: &Credential) -> (Content, Vec<Opening>) {
    let verified: VerifiedCredential =
        credential.clone().verified(&Verifier::new(NOW, &TrustList::default())).expect("it verifies");
    Content::draft(&[verified], &[], Terms::default(), &Vocabulary::embedded(), &holder.view)
        .expect("a draft")
}

/// The summary that the holder would publish with consent.
pub fn summary(holder: &Identity, content: Content) -> Signed<Summary> {
    let consent = Consent::give(holder.view.public(), content, Present::Anyone, NOW, 3_600_000);
    let consent = Signed::sign(consent.expect("consent"), &holder.view);
    let reach = Reach::Direct(holder.node_id.clone());
    Signed::sign(Summary::new(&consent, NOW.unix_ms(), reach, NOW).expect("a summary"), &holder.view)
}

pub fn inquiry(seeker: &Identity, about: &Signed<Summary>, purpose: &str, nonce: u8) -> Signed<Inquiry> {
    let undertaking =
        Undertaking { purpose: purpose.to_owned(), retention_days: 1, contact: "me@example.org".to_owned() };
    let by = NOW.plus_ms(5_000);
    let inquiry =
        Inquiry::new(seeker.root.public(), about, vec![skill()], undertaking, Nonce([nonce; 32]), NOW, by);
    Signed::sign(inquiry.expect("an inquiry"), &seeker.root)
}

/// A holder, what she published, and what stands behind it.
pub struct Holder {
    pub identity: Identity,
    pub credential: Credential,
    pub openings: Vec<Opening>,
    pub summary: Signed<Summary>,
}

impl Holder {
    pub fn new(issuer: u8, holder: u8) -> Self {
        let (issuer, identity) = (identity(issuer), identity(holder));
        let credential = credential(&issuer, &identity);
        let (content, openings) = draft(&identity, &credential);
        let summary = summary(&identity, content);
        Holder { identity, credential, openings, summary }
    }

    pub fn answer(&self, inquiry: &Signed<Inquiry>) -> Disclosure {
        let Identity { root, view, .. } = &self.identity;
        Disclosure::answer(inquiry, root, view, &[&self.credential], self.openings.clone(), NOW)
            .expect("an answer")
    }
}

/// A peer in this process, with an index that is a map and a wallet that is a list.
pub struct World {
    pub peer: Peer,
    pub shelf: Shelf,
    vocabulary: Vocabulary,
    trust: TrustList,
}

/// What a peer was told to keep.
#[derive(Default)]
pub struct Shelf {
    pub memory: Memory,
    summaries: BTreeMap<PublicKey, Signed<Summary>>,
    pub credentials: Vec<Credential>,
}

impl World {
    pub fn new(identity: Identity, memory: Memory, credentials: Vec<Credential>, now: Timestamp) -> Self {
        let mut shelf = Shelf { credentials, ..Shelf::default() };
        for item in memory.items.clone() {
            shelf.keep(&Change::Keep(item));
        }
        shelf.memory = Memory { items: shelf.memory.items, ..memory.clone() };
        let peer = Peer::new(identity, [9; 32], memory, now);
        World { peer, shelf, vocabulary: Vocabulary::embedded(), trust: TrustList::default() }
    }

    /// One input; its outputs, with what is to be kept kept.
    pub fn handle(&mut self, now: Timestamp, input: knackmesh_protocol::peer::Input) -> Vec<Output> {
        let lent = Lent {
            index: &self.shelf,
            wallet: &self.shelf,
            trust: &self.trust,
            known: &Known::new(),
            vocabulary: &self.vocabulary,
        };
        let outputs = self.peer.handle(now, input, &lent);
        for output in &outputs {
            if let Output::Persist(change) = output {
                self.shelf.keep(change);
            }
        }
        outputs
    }
}

impl Shelf {
    /// What the store does with a change.
    pub fn keep(&mut self, change: &Change) {
        use knackmesh_protocol::message::Item;
        match change {
            Change::Keep(item) => {
                self.memory.items.retain(|i| i.view() != item.view());
                self.memory.items.push(item.clone());
                match item {
                    Item::Summary(s) => self.summaries.insert(s.body().view(), s.clone()),
                    Item::Tombstone(t) => self.summaries.remove(&t.body().view()),
                };
            }
            Change::Forget(view) => {
                self.memory.items.retain(|i| i.view() != *view);
                self.summaries.remove(view);
            }
            Change::Publication { publication, last_sequence, greatest_expiry } => {
                self.memory.publication = publication.as_deref().cloned();
                self.memory.last_sequence = *last_sequence;
                self.memory.greatest_expiry = *greatest_expiry;
            }
            Change::KeepCell(_) | Change::ForgetCell(_) | Change::Disclosed { .. } => {}
        }
    }
}

impl Index for Shelf {
    fn nominate(&self, _: &Query, limit: usize, _: Timestamp) -> Nominated {
        let summaries: Vec<Signed<Summary>> = self.summaries.values().take(limit).cloned().collect();
        Nominated { matched: summaries.len(), summaries }
    }

    fn summary(&self, view: &PublicKey) -> Option<Signed<Summary>> {
        self.summaries.get(view).cloned()
    }
}

impl Wallet for Shelf {
    fn credential(&self, id: &Id) -> Option<Credential> {
        self.credentials.iter().find(|c| c.id() == *id).cloned()
    }
}
