//! How much of a credential's verification is cryptography: each form against its cryptographic floor, the signatures alone, in
//! turn, in one run on one thread. A verification is everything from the text to the six checks. Shares are taken in each round
//! and their median is stated, since what else the machine does changes from round to round.

use std::{hint::black_box, time::Instant};

use knackmesh_protocol::{
    credential::{
        Credential, Format, Shown, Signer, TrustList, Verifier,
        open_badge::{AlignedSkill, Issuance},
    },
    key::{SecretKey, SigningKey},
    skill::Level,
    time::Timestamp,
};

const CREDENTIALS: usize = 500;
const ROUNDS: usize = 9;

/// What `ssi` 0.16 verifies of Open Badges with `eddsa-rdfc-2022` a second, measured on such a machine.
const SSI_RDFC: f64 = 215.0;

const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

fn main() {
    let ed25519 = SigningKey::from(SecretKey::from_seed([1; 32]));
    let p256 = SigningKey::p256([1; 32]).expect("a legal scalar");
    println!("{CREDENTIALS} Open Badges, each different, one thread, median of {ROUNDS} rounds, a second");
    println!(
        "| form | bytes | from text to checks | checks of the parsed | signatures alone | share of the floor |"
    );
    println!("|---|---|---|---|---|---|");
    for (name, format, key) in [
        ("eddsa-jcs-2022", Format::Jcs, &ed25519),
        ("eddsa-rdfc-2022", Format::Rdfc, &ed25519),
        ("vc+jwt, EdDSA", Format::VcJwt, &ed25519),
        ("dc+sd-jwt, EdDSA", Format::SdJwt, &ed25519),
        ("ecdsa-jcs-2019", Format::Jcs, &p256),
        ("ecdsa-rdfc-2019", Format::Rdfc, &p256),
        ("vc+jwt, ES256", Format::VcJwt, &p256),
        ("dc+sd-jwt, ES256", Format::SdJwt, &p256),
    ] {
        let rates = measure(format, key);
        let Rates { bytes, whole, checks, floor, share } = rates;
        println!("| {name} | {bytes} | {whole:.0} | {checks:.0} | {floor:.0} | {:.0} % |", 100.0 * share);
        if name == "eddsa-rdfc-2022" {
            println!("| - against `ssi` 0.16 ({SSI_RDFC:.0}/s) | | {:.1} times | | | |", whole / SSI_RDFC);
        }
    }
}

struct Rates {
    bytes: usize,
    whole: f64,
    checks: f64,
    floor: f64,
    /// Of the floor, what the whole reaches.
    share: f64,
}

fn measure(format: Format, key: &SigningKey) -> Rates {
    let signer = Signer::of_key(key.clone());
    let texts: Vec<String> = (0..CREDENTIALS).map(|n| badge(&signer, format, n).text().to_owned()).collect();
    let messages: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes()[..64].to_vec()).collect();
    let signatures: Vec<Vec<u8>> = messages.iter().map(|message| key.sign(message)).collect();
    let public = key.public();
    let trust = TrustList::default();
    let verifier = Verifier::new(NOW, &trust);
    let (mut floor, mut whole, mut checks, mut shares) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let signatures_alone = rate(|| {
            for (message, signature) in messages.iter().zip(&signatures) {
                assert!(public.verify(black_box(message), signature).is_ok());
            }
        });
        let from_text = rate(|| {
            for text in &texts {
                let credential = Credential::parse(black_box(text)).expect("our own credential");
                assert!(credential.verify(&verifier).verdict(Shown::File).verified);
            }
        });
        floor.push(signatures_alone);
        whole.push(from_text);
        shares.push(from_text / signatures_alone);
        let parsed: Vec<Credential> = texts.iter().filter_map(|text| Credential::parse(text).ok()).collect();
        checks.push(rate(|| {
            for credential in &parsed {
                assert!(black_box(credential).verify(&verifier).verdict(Shown::File).verified);
            }
        }));
    }
    let bytes = texts.iter().map(String::len).sum::<usize>() / texts.len();
    let [whole, checks, floor, share] = [whole, checks, floor, shares].map(median);
    Rates { bytes, whole, checks, floor, share }
}

fn badge(signer: &Signer, format: Format, n: usize) -> Credential {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&n.to_le_bytes());
    let issuance = Issuance {
        nonce,
        issuer: signer.controller().clone(),
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
        valid_from: NOW,
        valid_until: None,
        status: Vec::new(),
    };
    issuance.sign(signer, format, NOW).expect("a legal credential")
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
