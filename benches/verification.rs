//! How much of a credential's verification is cryptography: raw Ed25519 verification and the verification of the same
//! number of Open Badges (`eddsa-jcs-2022`), in turn, in one run on one thread.

use std::{hint::black_box, time::Instant};

use knackmesh_protocol::{
    credential::{
        Credential, Format, Shown, TrustList, Verifier,
        open_badge::{AlignedSkill, Issuance},
    },
    key::SecretKey,
    skill::Level,
    time::Timestamp,
};

const CREDENTIALS: usize = 2_000;
const ROUNDS: usize = 9;

fn main() {
    let issuer = SecretKey::from_seed([1; 32]);
    let now = Timestamp::from_unix_ms(1_790_000_000_000);
    let texts: Vec<String> = (0..CREDENTIALS).map(|n| badge(&issuer, n, now).text().to_owned()).collect();
    let signatures: Vec<_> = texts.iter().map(|t| issuer.sign(&t.as_bytes()[..64])).collect();
    let trust = TrustList::default();

    let (mut raw, mut whole, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(rate(|| {
            for (text, signature) in texts.iter().zip(&signatures) {
                let verified = issuer.public().verify(black_box(&text.as_bytes()[..64]), signature);
                assert!(verified.is_ok());
            }
        }));
        whole.push(rate(|| {
            for text in &texts {
                let credential = Credential::parse(black_box(text)).expect("our own credential");
                assert!(credential.verify(&Verifier::new(now, &trust)).verdict(Shown::File).verified);
            }
        }));
        let parsed: Vec<Credential> = texts.iter().filter_map(|t| Credential::parse(t).ok()).collect();
        checks.push(rate(|| {
            for credential in &parsed {
                assert!(
                    black_box(credential).verify(&Verifier::new(now, &trust)).verdict(Shown::File).verified
                );
            }
        }));
    }
    let bytes = texts.iter().map(String::len).sum::<usize>() / texts.len();
    println!("{CREDENTIALS} Open Badges of {bytes} bytes, one thread, median of {ROUNDS} rounds, a second");
    let (raw, whole, checks) = (median(raw), median(whole), median(checks));
    println!("| what | a second | of raw Ed25519 |");
    println!("|---|---|---|");
    println!("| raw Ed25519 verification | {raw:.0} | 100 % |");
    println!("| the six checks of a parsed credential | {checks:.0} | {:.0} % |", 100.0 * checks / raw);
    println!("| parsing and the six checks | {whole:.0} | {:.0} % |", 100.0 * whole / raw);
}

fn badge(issuer: &SecretKey, n: usize, now: Timestamp) -> Credential {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&n.to_le_bytes());
    let issuance = Issuance {
        nonce,
        issuer: issuer.did(),
        issuer_name: Some("Technical University".into()),
        subject: SecretKey::from_seed([2; 32]).did(),
        name: format!("Systems programming {n}"),
        description: "Writes safe concurrent programs".into(),
        criteria: None,
        skills: vec![AlignedSkill {
            skill: "urn:knackmesh:onet:43232402:rust".parse().expect("a URI"),
            label: "Rust".into(),
            framework: Some("ONET".into()),
        }],
        level: Level::MAX,
        valid_from: now,
        valid_until: None,
        status: Vec::new(),
    };
    issuance.sign(&issuer.into(), Format::Jcs, now).expect("a legal credential")
}

fn rate(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    CREDENTIALS as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
