//! Published vectors: every intermediate value of the W3C's, and signatures by other people's software.

use sha2::{Digest, Sha256};

use super::{
    super::{Form, RdfError, canonical_nquads},
    object,
};
use crate::key::{PublicKey, Signature};

macro_rules! published {
    ($file:literal) => {
        include_str!(concat!("../../../vectors/credential/", $file))
    };
}

/// A document, its proof's options, and what each of both becomes.
struct Case {
    signed: &'static str,
    options: &'static str,
    document_text: &'static str,
    document_hash: &'static str,
    options_text: &'static str,
    options_hash: &'static str,
}

const EDDSA_RDFC_2022: Case = Case {
    signed: published!("w3c-di-eddsa-rdfc-2022/signedDataInt.json"),
    options: published!("w3c-di-eddsa-rdfc-2022/proofConfigDataInt.json"),
    document_text: published!("w3c-di-eddsa-rdfc-2022/canonDocDataInt.txt"),
    document_hash: published!("w3c-di-eddsa-rdfc-2022/docHashDataInt.txt"),
    options_text: published!("w3c-di-eddsa-rdfc-2022/proofCanonDataInt.txt"),
    options_hash: published!("w3c-di-eddsa-rdfc-2022/proofHashDataInt.txt"),
};

const ED25519_SIGNATURE_2020: Case = Case {
    signed: published!("w3c-di-ed25519-signature-2020/signedEdSig.json"),
    options: published!("w3c-di-ed25519-signature-2020/proofConfigEdSig.json"),
    document_text: published!("w3c-di-ed25519-signature-2020/canonDocEdSig.txt"),
    document_hash: published!("w3c-di-ed25519-signature-2020/docHashEdSig.txt"),
    options_text: published!("w3c-di-ed25519-signature-2020/proofCanonEdSig.txt"),
    options_hash: published!("w3c-di-ed25519-signature-2020/proofHashEdSig.txt"),
};

#[test]
fn every_intermediate_value_of_the_published_vectors() {
    let hash = |text: &str| Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>();
    for case in [EDDSA_RDFC_2022, ED25519_SIGNATURE_2020] {
        let mut document = object(case.signed);
        document.remove("proof");
        let text = canonical_nquads(&document, Form::Plain).unwrap();
        assert_eq!(text, case.document_text);
        assert_eq!(hash(&text), case.document_hash.trim());
        let text = canonical_nquads(&object(case.options), Form::Plain).unwrap();
        assert_eq!(text, case.options_text);
        assert_eq!(hash(&text), case.options_hash.trim());
    }
}

#[test]
fn badges_that_others_signed() {
    let name = "http://1edtech.edu/credentials/3732".to_owned();
    let complete = object(published!("ob3/complete.json"));
    assert_eq!(canonical_nquads(&complete, Form::Plain), Err(RdfError::NotPlain(name)));
    for (name, text, form, holds) in [
        ("simple", published!("ob3/simple.json"), Form::Plain, true),
        ("simple-did-key-method", published!("ob3/simple-did-key-method.json"), Form::Plain, true),
        ("simple-multiple-proofs", published!("ob3/simple-multiple-proofs.json"), Form::Plain, true),
        ("simple-err-expired", published!("ob3/simple-err-expired.json"), Form::Plain, true),
        ("credential-status-revoked", published!("ob3/credential-status-revoked.json"), Form::Plain, true),
        ("simple-eddsa-2022", published!("ob3/simple-eddsa-2022.json"), Form::Plain, true),
        // It has credentials within of its own `id`, so that RDF cannot tell whose properties are whose.
        ("complete", published!("ob3/complete.json"), Form::Any, true),
        ("simple-err-proof-value", published!("ob3/simple-err-proof-value.json"), Form::Plain, false),
    ] {
        let mut document = object(text);
        let proofs = document.remove("proof").unwrap();
        let proofs = proofs.as_array().cloned().unwrap_or_else(|| vec![proofs]);
        let proof = proofs.iter().find(|p| p["proofValue"].is_string()).unwrap();
        let mut options = proof.as_object().unwrap().clone();
        let value = options.remove("proofValue").unwrap();
        options.insert("@context".into(), document["@context"].clone());
        let method = options["verificationMethod"].as_str().unwrap();
        let key = PublicKey::from_multibase(&method[method.rfind(['#', ':']).unwrap() + 1..]).unwrap();
        let bytes = bs58::decode(value.as_str().unwrap().strip_prefix('z').unwrap()).into_vec().unwrap();
        let signature = Signature(bytes.try_into().unwrap());
        let mut input = Vec::new();
        input.extend(Sha256::digest(canonical_nquads(&options, form).unwrap()));
        input.extend(Sha256::digest(canonical_nquads(&document, form).unwrap()));
        assert_eq!(key.verify(&input, &signature).is_ok(), holds, "{name}");
    }
}
