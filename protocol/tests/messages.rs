//! Every message reads back as it was written, and no other bytes stand for it: each changed bit, cut, or addition is
//! refused or is another legal message with an encoding of its own.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Debug;

use knackmesh_protocol::{
    cell::{Cell, Epoch, Half, Receipt},
    consent::{Consent, Present},
    credential::{
        Format, TrustList, Verifier,
        open_badge::{AlignedSkill, Issuance},
    },
    id::{Id, NodeId},
    inquiry::{Disclosure, Inquiry, Nonce, Undertaking},
    key::SecretKey,
    limits::{FETCH_IDS_MAX, LEADS_MAX, RECONCILE_FRAME_BYTES_MAX},
    message::{Acknowledgement, Envelope, Frame, Item, Leads, Placed, Refusal, Request, Response},
    query::{Expr, Query, SkillTerm, parse},
    ranking::{self, ScoreStatement, WEIGHTS_VERSION},
    signed::{Signed, Statement},
    skill::Level,
    summary::{Content, Opening, Reach, Summary, Terms, Tombstone},
    time::Timestamp,
    vocabulary::Vocabulary,
    wire,
};
use proptest::{collection::vec, prelude::*, sample::Index};

const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
const SKILL: &str = "urn:skill:rust";

/// One example of everything that is sent or signed, made from each other as the protocol makes them.
struct Examples {
    vocabulary: Vocabulary,
    query: Query,
    seeker: SecretKey,
    consent: Signed<Consent>,
    summary: Signed<Summary>,
    tombstone: Signed<Tombstone>,
    inquiry: Signed<Inquiry>,
    disclosure: Disclosure,
    statement: Signed<ScoreStatement>,
    acknowledgement: Signed<Acknowledgement>,
    receipt: Signed<Receipt>,
}

fn cell() -> Cell {
    let (skill, path) = (SKILL.parse().unwrap(), String::from("DE/01").try_into().unwrap());
    Cell { skill, path, half: Half::First, epoch: Epoch::of(NOW) }
}

fn content(root: &SecretKey, view: &SecretKey, vocabulary: &Vocabulary) -> (Content, Vec<Opening>, String) {
    let issuer = SecretKey::from_seed([9; 32]);
    let issuance = Issuance {
        nonce: [1; 16],
        issuer: issuer.did(),
        issuer_name: None,
        subject: root.did(),
        name: "Rust".into(),
        description: "An examination.".into(),
        criteria: None,
        skills: vec![AlignedSkill { skill: SKILL.parse().unwrap(), label: "Rust".into(), framework: None }],
        level: Level::MAX,
        valid_from: NOW.minus_ms(1_000_000_000),
        valid_until: None,
        status: Vec::new(),
    };
    let credential = issuance.sign(&(&issuer).into(), Format::Jcs, NOW).unwrap();
    let text = credential.text().to_owned();
    let bare = [("urn:skill:go".parse().unwrap(), Level::MIN)];
    let terms = Terms {
        languages: vec!["en".parse().unwrap(), "de".parse().unwrap()],
        region: Some("DE-BE".parse().unwrap()),
        modes: vec!["remote".parse().unwrap()],
        available: Some("2027-01-01".parse().unwrap()),
    };
    let verified = [credential.verified(&Verifier::new(NOW, &TrustList::default())).unwrap()];
    let (content, openings) = Content::draft(&verified, &bare, terms, vocabulary, view).unwrap();
    (content, openings, text)
}

impl Examples {
    fn new() -> Self {
        let [root, view, node, seeker] = [1, 2, 3, 4].map(|seed| SecretKey::from_seed([seed; 32]));
        let vocabulary = Vocabulary::embedded();
        let (content, openings, credential) = content(&root, &view, &vocabulary);
        let consent = Consent::give(view.public(), content, Present::Anyone, NOW, 3_600_000).unwrap();
        let consent = Signed::sign(consent, &view);
        let reach = Reach::Direct(NodeId::from_bytes(vec![7; 38]).unwrap());
        let summary = Signed::sign(Summary::new(&consent, 12, reach, NOW).unwrap(), &view);
        let tombstone = Signed::sign(Tombstone::new(summary.body(), Timestamp::EPOCH, NOW), &view);
        let undertaking = Undertaking {
            purpose: "A post in Berlin".into(),
            retention_days: 30,
            contact: "a@example.org".into(),
        };
        let skills = vec![SKILL.parse().unwrap()];
        let (nonce, reply_by) = (Nonce([5; 32]), NOW.plus_ms(5000));
        let inquiry =
            Inquiry::new(seeker.public(), &summary, skills, undertaking, nonce, NOW, reply_by).unwrap();
        let inquiry = Signed::sign(inquiry, &seeker);
        let credential = knackmesh_protocol::credential::Credential::parse(&credential).unwrap();
        let disclosure = Disclosure::answer(&inquiry, &root, &view, &[&credential], openings, NOW).unwrap();
        let text = "(<urn:skill:rust>>=3 OR <urn:skill:go>=1..4) AND NOT region:FR AND text:\"rust\" AND tier:issuer";
        let query = parse(text, &vocabulary, NOW).unwrap().query;
        let trust = Default::default();
        let proven = disclosure.verify(&inquiry, summary.body(), &Verifier::new(NOW, &trust)).unwrap();
        let standing = ranking::standing(summary.body(), Some(&proven), &Default::default(), &trust);
        let score = ranking::score(&query, summary.body(), &standing, &vocabulary, NOW);
        let statement = ScoreStatement {
            seeker: seeker.public(),
            query: query.clone(),
            weights: WEIGHTS_VERSION,
            idf: vocabulary.digest(),
            time: NOW,
            seed: [6; 32],
            summary: summary.id(),
            standing,
            points: u64::try_from(score.points).unwrap(),
            terms: score.terms,
        };
        let statement = Signed::sign(statement, &seeker);
        let acknowledgement = Acknowledgement { node: node.public(), tombstone: tombstone.id(), at: NOW };
        let acknowledgement = Signed::sign(acknowledgement, &node);
        let receipt = Receipt::new(node.public(), vec![cell().key()], vec![summary.id()], NOW);
        let receipt = Signed::sign(receipt, &node);
        Examples {
            vocabulary,
            query,
            seeker,
            consent,
            summary,
            tombstone,
            inquiry,
            disclosure,
            statement,
            acknowledgement,
            receipt,
        }
    }

    fn items(&self) -> Vec<Item> {
        vec![Item::Summary(self.summary.clone()), Item::Tombstone(self.tombstone.clone())]
    }

    fn requests(&self) -> Vec<Request> {
        vec![
            Request::find(self.query.clone(), 50),
            Request::Inquire(self.inquiry.clone()),
            Request::Withdraw(self.tombstone.clone()),
            Request::reconcile(NOW, Frame::new(vec![0x61, 0, 0, 2, 0]).unwrap()),
            Request::Fetch { ids: vec![self.summary.id(), self.tombstone.id()] },
            Request::Store { cells: vec![cell()], items: self.items() },
            Request::Find { query: self.query.clone(), limit: 50, skip: 7, cell: Some(Box::new(cell())) },
        ]
    }

    fn responses(&self) -> Vec<Response> {
        let leads = |reconciled| {
            let summaries = vec![Envelope(self.summary.encode())];
            Response::Leads(Leads { summaries, matched: 3, held: 1000, reconciled, ..Leads::default() })
        };
        vec![
            leads(None),
            leads(Some(NOW)),
            Response::Disclosed(self.disclosure.clone()),
            Response::Received,
            Response::Deleted(self.acknowledgement.clone()),
            Response::reconciled(Frame::new(vec![0x61]).unwrap()),
            Response::Items(self.items()),
            Response::Stored { receipt: self.receipt.clone(), cells: vec![Placed::Kept] },
            Response::Refused(Refusal::Malformed),
            Response::Refused(Refusal::Busy),
            Response::Refused(Refusal::NotCurrent),
        ]
    }

    /// Everything that has an encoding, as a reader of it.
    fn readers(&self) -> Vec<Reader> {
        let mut readers = vec![
            signed(&self.consent),
            signed(&self.summary),
            signed(&self.tombstone),
            signed(&self.inquiry),
            signed(&self.disclosure.link),
            signed(&self.statement),
            signed(&self.acknowledgement),
            signed(&self.receipt),
        ];
        readers.extend(self.items().iter().map(|m| Reader::new(m, Item::encode, |b| Item::decode(b).ok())));
        readers.extend(
            self.requests().iter().map(|m| Reader::new(m, Request::encode, |b| Request::decode(b).ok())),
        );
        readers.extend(
            self.responses().iter().map(|m| Reader::new(m, Response::encode, |b| Response::decode(b).ok())),
        );
        let disclosure = |bytes: &[u8]| wire::decode::<Disclosure>(bytes, bytes.len()).ok();
        readers.push(Reader::new(&self.disclosure, wire::encode, disclosure));
        readers
    }
}

type Read = dyn Fn(&[u8]) -> Option<(Vec<u8>, bool)>;

/// A message's bytes, and how whatever is made of them reads: `None` when refused, else what it encodes to and whether
/// it is the same message.
struct Reader {
    kind: &'static str,
    bytes: Vec<u8>,
    /// Whether a signature covers every byte.
    sealed: bool,
    read: Box<Read>,
}

impl Reader {
    fn new<T: Clone + PartialEq + Debug + 'static>(
        message: &T,
        encode: impl Fn(&T) -> Vec<u8> + 'static,
        decode: impl Fn(&[u8]) -> Option<T> + 'static,
    ) -> Self {
        let (kind, bytes, same) = (std::any::type_name::<T>(), encode(message), message.clone());
        let read = move |bytes: &[u8]| decode(bytes).map(|read| (encode(&read), read == same));
        Reader { kind, bytes, sealed: false, read: Box::new(read) }
    }

    /// What is read is what was written, or it is refused.
    fn check(&self, bytes: &[u8]) {
        match (self.read)(bytes) {
            None => assert_ne!(bytes, self.bytes, "{} does not read itself", self.kind),
            Some((again, same)) => {
                assert_eq!(again, bytes, "{}: two encodings of one value", self.kind);
                assert_eq!(same, bytes == self.bytes, "{}: two values of one encoding", self.kind);
                assert!(same || !self.sealed, "{}: a signature over other bytes", self.kind);
            }
        }
    }
}

fn signed<T: Statement + Clone + PartialEq + Debug + 'static>(statement: &Signed<T>) -> Reader {
    let reader = Reader::new(statement, Signed::encode, |bytes| Signed::<T>::decode(bytes).ok());
    Reader { sealed: true, ..reader }
}

#[test]
fn every_message_reads_itself_and_nothing_cut_or_longer() {
    for reader in Examples::new().readers() {
        reader.check(&reader.bytes);
        assert!((reader.read)(&reader.bytes).is_some(), "{}", reader.kind);
        let longer = [reader.bytes.as_slice(), &[0]].concat();
        assert!((reader.read)(&longer).is_none(), "{} with a byte more", reader.kind);
        let step = (reader.bytes.len() / 200).max(1);
        for at in (0..reader.bytes.len()).step_by(step) {
            assert!((reader.read)(&reader.bytes[..at]).is_none(), "{} cut at {at}", reader.kind);
        }
    }
}

#[test]
fn every_changed_bit_of_a_statement_is_refused() {
    for reader in Examples::new().readers().into_iter().filter(|reader| reader.sealed) {
        let mut bytes = reader.bytes.clone();
        for at in 0..bytes.len() {
            let bit = 1 << (at % 8);
            bytes[at] ^= bit;
            assert!((reader.read)(&bytes).is_none(), "{} with byte {at} changed", reader.kind);
            bytes[at] ^= bit;
        }
    }
}

/// The rank can be recomputed from what travels: the statement survives its encoding.
#[test]
fn a_statement_that_travelled_recomputes() {
    let examples = Examples::new();
    let statement = Signed::<ScoreStatement>::decode(&examples.statement.encode()).unwrap();
    assert_eq!(statement.body().signer(), examples.seeker.public());
    let recomputed = statement.body().recompute(&examples.summary, &examples.vocabulary).unwrap();
    assert_eq!(recomputed, ranking::Recomputed::Same);
}

#[test]
fn what_is_over_a_bound_is_refused() {
    let examples = Examples::new();
    let find = |limit: usize| {
        let limit = u16::try_from(limit).unwrap();
        Request::decode(&Request::find(examples.query.clone(), limit).encode())
    };
    assert!(find(LEADS_MAX).is_ok() && find(LEADS_MAX + 1).is_err());
    let fetch = |ids: usize| Request::decode(&Request::Fetch { ids: vec![Id([1; 32]); ids] }.encode());
    assert!(fetch(FETCH_IDS_MAX).is_ok() && fetch(FETCH_IDS_MAX + 1).is_err());
    assert!(Frame::new(vec![0; RECONCILE_FRAME_BYTES_MAX]).is_ok());
    assert!(Frame::new(vec![0; RECONCILE_FRAME_BYTES_MAX + 1]).is_err());
}

fn term(skill: &str, min: u8) -> Expr {
    let min = Level::try_from(min).unwrap();
    Expr::Skill(SkillTerm { any_of: vec![skill.parse().unwrap()], min, max: Level::MAX })
}

#[test]
fn the_deepest_query_travels() {
    let mut expr = term("urn:skill:0", 1);
    for depth in 1.. {
        let parts = vec![term(&format!("urn:skill:{depth}"), 1), expr];
        expr = if depth % 2 == 0 { Expr::Or(parts) } else { Expr::And(parts) };
        let Ok(query) = Query::new(expr.clone()) else {
            assert!(depth > 4);
            break;
        };
        let request = Request::find(query, 1);
        assert_eq!(Request::decode(&request.encode()), Ok(request));
    }
}

/// Whatever a seeker asks and a stranger publishes, the statement about it can be signed.
#[test]
fn the_longest_statement_is_within_its_bound() {
    let Examples { vocabulary, seeker, summary, .. } = Examples::new();
    let view = SecretKey::from_seed([2; 32]);
    let skill = |n: usize| format!("urn:{}{n:02}", "x".repeat(240));
    let bare: Vec<_> = (0..25).map(|n| (skill(n).parse().unwrap(), Level::MAX)).collect();
    let (content, _) = Content::draft(&[], &bare, Terms::default(), &vocabulary, &view).unwrap();
    let consent =
        Signed::sign(Consent::give(view.public(), content, Present::Ask, NOW, 1000).unwrap(), &view);
    let long = Signed::sign(Summary::new(&consent, 1, summary.body().reach().clone(), NOW).unwrap(), &view);
    let alternatives = (0..62).map(|n| term(&skill(n % 25), 1 + u8::try_from(n / 25).unwrap()));
    let query = Query::new(Expr::Or(alternatives.collect())).unwrap();
    let standing = ranking::standing(long.body(), None, &Default::default(), &Default::default());
    let score = ranking::score(&query, long.body(), &standing, &vocabulary, NOW);
    let statement = ScoreStatement {
        seeker: seeker.public(),
        query,
        weights: WEIGHTS_VERSION,
        idf: vocabulary.digest(),
        time: NOW,
        seed: [6; 32],
        summary: long.id(),
        standing,
        points: u64::try_from(score.points).unwrap(),
        terms: score.terms,
    };
    let signed = Signed::sign(statement, &seeker);
    // Proven claims have five lines each instead of three, and issuers; that still fits.
    assert!(signed.bytes().len() * 2 < ScoreStatement::BYTES_MAX, "{}", signed.bytes().len());
}

/// How bytes are changed.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Swap(Index, Index),
    Repeat(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        at().prop_map(Mutation::Remove),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        (at(), at()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        (at(), at()).prop_map(|(a, b)| Mutation::Repeat(a, b)),
    ]
}

fn apply(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    match mutation {
        Mutation::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
        Mutation::Set(at, byte) => bytes[at.index(len)] = *byte,
        Mutation::Remove(at) => drop(bytes.remove(at.index(len))),
        Mutation::Insert(at, byte) => bytes.insert(at.index(len), *byte),
        Mutation::Swap(a, b) => bytes.swap(a.index(len), b.index(len)),
        Mutation::Repeat(from, to) => {
            let (from, to) = (from.index(len), to.index(len));
            let part = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.splice(to..to, part);
        }
    }
}

proptest! {
    #[test]
    fn every_mutation_is_refused_or_is_another_message(
        at in any::<Index>(),
        mutations in vec(mutation(), 1..4),
    ) {
        thread_local!(static READERS: Vec<Reader> = Examples::new().readers());
        READERS.with(|readers| {
            let reader = &readers[at.index(readers.len())];
            let mut bytes = reader.bytes.clone();
            mutations.iter().for_each(|mutation| apply(&mut bytes, mutation));
            reader.check(&bytes);
        });
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..600)) {
        let _ = (Item::decode(&bytes), Request::decode(&bytes), Response::decode(&bytes));
        let _ = (Signed::<Inquiry>::decode(&bytes), knackmesh_protocol::signed::peek_id(&bytes));
        let _ = Item::decode_kept(&bytes);
    }
}
