#![allow(clippy::unwrap_used)]

mod published;

use std::{fs, path::Path};

use super::{suites::EDDSA_JCS_2022, *};
use crate::{json, key::SecretKey};

/// A file of a published vector, by its path under `vectors/credential`.
fn published(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/credential");
    fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn object(path: &str) -> Map<String, Value> {
    json::parse(&published(path), 1 << 16).unwrap().as_object().unwrap().clone()
}

fn published_key() -> SecretKey {
    let pair = object("w3c-di-eddsa-jcs-2022/keyPair.json");
    let key = secret(pair["privateKeyMultibase"].as_str().unwrap());
    assert_eq!(key.public().multibase(), pair["publicKeyMultibase"].as_str().unwrap());
    key
}

/// Multicodec ed25519-priv (0x1300) as a varint, then the seed.
fn secret(multibase: &str) -> SecretKey {
    let bytes = bs58::decode(multibase.strip_prefix('z').unwrap()).into_vec().unwrap();
    SecretKey::from_seed(bytes.strip_prefix(&[0x80, 0x26]).unwrap().try_into().unwrap())
}

fn check(document: &Map<String, Value>) -> Result<Proofs, ProofError> {
    verify(document, &Binding::ASSERTION, &Documents::new())
}

#[test]
fn contexts_may_be_appended_and_nothing_else() {
    let signed = object("w3c-di-eddsa-jcs-2022/signedJCS.json");
    let with_contexts = |contexts: Value| {
        let mut changed = signed.clone();
        changed.insert("@context".into(), contexts);
        check(&changed).map(|proofs| proofs.verified.len())
    };
    let [v2, examples] =
        ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"];
    assert_eq!(with_contexts(json!([v2, examples, "https://example.org/more"])), Ok(1));
    for contexts in [json!([v2]), json!([examples, v2]), json!(v2), json!([v2, "other", examples])] {
        assert_eq!(with_contexts(contexts), Err(ProofError::ContextNotPrefix));
    }
    let mut without = signed.clone();
    without.remove("@context");
    assert_eq!(check(&without), Err(ProofError::ContextNotPrefix));
}

#[test]
fn proofs_without_context_sign_the_documents_own() {
    let mut options = object("w3c-di-eddsa-jcs-2022/proofConfigJCS.json");
    options.remove("@context");
    let document = object("w3c-di-eddsa-jcs-2022/unsigned.json");
    let mut signed = prove(document, options, &EDDSA_JCS_2022, &(&published_key()).into()).unwrap();
    assert_eq!(check(&signed).unwrap().verified.len(), 1);
    signed["@context"].as_array_mut().unwrap().push(json!("https://example.org/more"));
    assert_eq!(check(&signed), Err(ProofError::BadSignature));
}

#[test]
fn every_proof_of_a_set_must_hold() {
    let options = ProofOptions::new(Binding::ASSERTION, Timestamp::from_unix_ms(1_800_000_000_000));
    let other = SecretKey::from_seed([5; 32]);
    let signed = object("w3c-di-eddsa-jcs-2022/signedJCS.json");
    let mut both = sign(signed, &EDDSA_JCS_2022, &(&other).into(), &options).unwrap();
    let proofs = check(&both).unwrap();
    assert_eq!(proofs.verified[1].controller.did(), Some(&other.did()));
    both["proof"][1]["created"] = json!("2023-02-24T23:36:39Z");
    assert_eq!(check(&both), Err(ProofError::BadSignature));
    both["proof"][1] = json!({"type": "DataIntegrityProof", "cryptosuite": "bbs-2023"});
    let proofs = check(&both).unwrap();
    assert_eq!(proofs.verified.len(), 1);
    assert_eq!(proofs.not_checked, [ProofError::UnknownSuite("bbs-2023".into())]);
    both["proof"] = json!(vec![both["proof"][0].clone(); PROOFS_MAX + 1]);
    assert_eq!(check(&both), Err(ProofError::TooMany));
}

#[test]
fn a_chain_holds_only_as_a_whole() {
    let signers: [Signer; 2] = [1, 2].map(|n| (&SecretKey::from_seed([n; 32])).into());
    let at = Timestamp::from_unix_ms(1_800_000_000_000);
    let first = ProofOptions { id: Some("urn:uuid:1"), ..ProofOptions::new(Binding::ASSERTION, at) };
    let second = ProofOptions { previous: &["urn:uuid:1"], ..ProofOptions::new(Binding::ASSERTION, at) };
    let document = object("w3c-di-eddsa-jcs-2022/unsigned.json");
    assert_eq!(
        sign(document.clone(), &EDDSA_JCS_2022, &signers[1], &second),
        Err(ProofError::ChainBroken),
        "there is nothing to depend on"
    );
    let one = sign(document, &EDDSA_JCS_2022, &signers[0], &first).unwrap();
    let chain = sign(one, &EDDSA_JCS_2022, &signers[1], &second).unwrap();
    assert_eq!(check(&chain).unwrap().verified.len(), 2);
    let changed = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut chain = chain.clone();
        change(chain["proof"].as_array_mut().unwrap());
        check(&chain)
    };
    // The first proof by itself still holds; what it was chained to is gone, and the chain with it.
    assert_eq!(changed(&|proofs| drop(proofs.remove(0))), Err(ProofError::ChainBroken));
    assert_eq!(
        changed(&|proofs| proofs[1]["previousProof"] = json!("urn:uuid:2")),
        Err(ProofError::ChainBroken)
    );
    assert_eq!(changed(&|proofs| proofs.push(proofs[0].clone())), Err(ProofError::ChainBroken));
    assert_eq!(
        changed(&|proofs| drop(proofs[1].as_object_mut().unwrap().remove("previousProof"))),
        Err(ProofError::BadSignature)
    );
    let resigned = |proofs: &mut Vec<Value>| {
        let mut alone = object("w3c-di-eddsa-jcs-2022/unsigned.json");
        let later = ProofOptions { created: at.plus_ms(1000), ..first.clone() };
        alone = sign(alone, &EDDSA_JCS_2022, &signers[0], &later).unwrap();
        proofs[0] = alone["proof"].clone();
    };
    assert_eq!(changed(&resigned), Err(ProofError::BadSignature), "another proof of the same name");
}
