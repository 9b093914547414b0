//! What it costs to admit summaries that carry a proof: one by one with strict verification, as gossip brings them, against
//! all together, as an answer to a fetch brings them. In turn, in one run on one thread, from encoded bytes to verified.

#![allow(clippy::unwrap_used)]

use std::{hint::black_box, time::Instant};

use knackmesh_protocol::{
    consent::{Consent, Present},
    credential::{
        Credential, Format, TrustList, Verifier,
        open_badge::{AlignedSkill, Issuance},
    },
    id::NodeId,
    key::SecretKey,
    published::{self, PublishedProof},
    signed::{self, Signed},
    skill::{Level, SkillId},
    summary::{Content, Reach, Summary, Terms},
    time::Timestamp,
    vocabulary::Vocabulary,
};

/// As many as one answer to a fetch has at most.
const SUMMARIES: usize = 256;
/// Each signed every sixteenth credential.
const ISSUERS: usize = 16;
const ROUNDS: usize = 15;
const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
const SKILL: &str = "urn:knackmesh:onet:43232402:rust";

fn main() {
    let vocabulary = Vocabulary::embedded();
    let envelopes: Vec<Vec<u8>> = (0..SUMMARIES).map(|n| summary(n, &vocabulary).encode()).collect();
    let envelopes: Vec<&[u8]> = envelopes.iter().map(Vec::as_slice).collect();

    let (mut single, mut batched, mut parsing, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let one_by_one = micros(|| {
            for envelope in &envelopes {
                let summary = Signed::<Summary>::decode(black_box(envelope)).unwrap();
                published::verify(summary.body()).unwrap();
            }
        });
        let together = micros(|| {
            let summaries = signed::decode_all::<Summary>(black_box(&envelopes));
            let summaries: Vec<Signed<Summary>> = summaries.into_iter().map(Result::unwrap).collect();
            let bodies: Vec<&Summary> = summaries.iter().map(Signed::body).collect();
            assert!(published::verify_all(&bodies).iter().all(Result::is_ok));
        });
        // What else the machine does changes from round to round, so each round has its ratio.
        ratios.push(one_by_one / together);
        single.push(one_by_one);
        batched.push(together);
        let summaries: Vec<Signed<Summary>> =
            signed::decode_all::<Summary>(&envelopes).into_iter().map(Result::unwrap).collect();
        parsing.push(micros(|| {
            for summary in &summaries {
                let summary: Summary =
                    knackmesh_protocol::wire::decode(black_box(summary.bytes()), 8192).unwrap();
                PublishedProof::parse(&summary.content().proofs()[0]).unwrap();
            }
        }));
    }
    let [single, batched, parsing, ratio] = [single, batched, parsing, ratios].map(median);
    let bytes = envelopes.iter().map(|envelope| envelope.len()).sum::<usize>() / SUMMARIES;
    println!(
        "{SUMMARIES} summaries of {bytes} bytes, each with one claim and one proof (three Ed25519 signatures) of one of \
         {ISSUERS} issuers,\nfrom encoded bytes to verified, parsing included; one thread, median of {ROUNDS} rounds"
    );
    println!("| what | microseconds a summary |");
    println!("|---|---|");
    println!("| one by one, strictly | {single:.1} |");
    println!("| together | {batched:.1} |");
    println!("| of either, reading CBOR and the proof | {parsing:.1} |");
    println!("ratio {ratio:.2}, the median of every round's");
}

fn summary(n: usize, vocabulary: &Vocabulary) -> Signed<Summary> {
    let key = |kind: u8, n: usize| {
        let mut seed = [kind; 32];
        seed[..8].copy_from_slice(&n.to_le_bytes());
        SecretKey::from_seed(seed)
    };
    let (issuer, copy, view) = (key(1, n % ISSUERS), key(2, n), key(3, n));
    let credential = credential(&issuer, &copy, n);
    let skills: [SkillId; 1] = [SKILL.parse().unwrap()];
    let proof = PublishedProof::bind(&credential, &skills, &copy.into(), &view.public(), NOW).unwrap();
    let verified = credential.verified(&Verifier::new(NOW, &TrustList::default())).unwrap();
    let (content, _) = Content::draft(&[verified], &[], Terms::default(), vocabulary, &view).unwrap();
    let content = content.with_proofs(vec![(proof, skills.to_vec())]).unwrap();
    let consent = Consent::give(view.public(), content, Present::Ask, NOW, 86_400_000).unwrap();
    let reach = Reach::Direct(NodeId::of(&view.public()));
    Signed::sign(Summary::new(&Signed::sign(consent, &view), 1, reach, NOW).unwrap(), &view)
}

fn credential(issuer: &SecretKey, copy: &SecretKey, n: usize) -> Credential {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&n.to_le_bytes());
    let skill =
        |uri: &str| AlignedSkill { skill: uri.parse().unwrap(), label: "Rust".into(), framework: None };
    let issuance = Issuance {
        nonce,
        issuer: issuer.did(),
        issuer_name: Some("Technical University".into()),
        subject: copy.did(),
        name: "Systems programming".into(),
        description: "Writes safe concurrent programs".into(),
        criteria: None,
        skills: vec![skill(SKILL), skill("urn:knackmesh:onet:43232701:kubernetes")],
        level: Level::MAX,
        valid_from: NOW,
        valid_until: None,
        status: Vec::new(),
    };
    issuance.sign(&issuer.into(), Format::SdJwt, NOW).unwrap()
}

/// Microseconds that `work` takes for each summary.
fn micros(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e6 / SUMMARIES as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
