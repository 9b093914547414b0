//! Proofs in summaries.
#![no_main]

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::{
    key::{SecretKey, SigningKey},
    limits::{ALIGNMENTS_MAX, SUMMARY_PROOF_BYTES_MAX},
    published::PublishedProof,
    summary::Month,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(proof) = PublishedProof::parse(text) else { return };
    assert!(text.len() <= SUMMARY_PROOF_BYTES_MAX);
    assert!(proof.issuer().is_some() && proof.skills().len() <= ALIGNMENTS_MAX);
    let _ = proof.awarded() <= Month::of(NOW);
    // What another binds is theirs: it cannot be bound anew with a key that it does not name.
    let (key, view) =
        (SigningKey::from(SecretKey::from_seed([7; 32])), SecretKey::from_seed([8; 32]).public());
    let skills: Vec<_> = proof.skills().iter().map(|achieved| achieved.skill.clone()).collect();
    assert!(PublishedProof::bind(proof.credential(), &skills, &key, &view, NOW).is_err());
});
