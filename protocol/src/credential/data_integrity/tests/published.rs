//! The vectors that the W3C published for its cryptosuites: every intermediate value of each, and sets and chains.

use sha2::{Digest, Sha256};

use super::{
    super::{
        suites::{ED25519_SIGNATURE_2020, EDDSA_JCS_2022, EDDSA_RDFC_2022, jcs, rdfc},
        *,
    },
    check, object, published, published_key, secret,
};
use crate::{key::SigningKey, rdf, wire::hex};

/// The files of one vector: their folder, and the ending of their names.
struct Vector {
    folder: &'static str,
    ending: &'static str,
}

const JCS: Vector = Vector { folder: "w3c-di-eddsa-jcs-2022", ending: "JCS" };
const RDFC: Vector = Vector { folder: "w3c-di-eddsa-rdfc-2022", ending: "DataInt" };
const RDFC_OF_EMPLOYMENT: Vector = Vector { folder: "w3c-di-eddsa-rdfc-2022/employ", ending: "DataInt" };
const FORMER: Vector = Vector { folder: "w3c-di-ed25519-signature-2020", ending: "EdSig" };

impl Vector {
    fn text(&self, name: &str) -> String {
        published(&format!("{}/{name}{}.txt", self.folder, self.ending))
    }

    fn object(&self, name: &str) -> Map<String, Value> {
        object(&format!("{}/{name}{}.json", self.folder, self.ending))
    }

    fn unsecured(&self) -> Map<String, Value> {
        let mut document = self.object("signed");
        document.remove("proof");
        document
    }

    /// Checks all that follows from the canonical texts of document and proof.
    fn follows_from(&self, document: &str, proof_config: &str) {
        assert_eq!(document, self.text("canonDoc"));
        assert_eq!(proof_config, self.text("proofCanon"));
        let hashes = [proof_config, document].map(|text| hex(&Sha256::digest(text)));
        assert_eq!(hashes, [self.text("proofHash"), self.text("docHash")]);
        assert_eq!(hashes.concat(), self.text("combinedHash"));
        let input = hashes.concat();
        let input: Vec<u8> = (0..input.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&input[at..at + 2], 16).unwrap())
            .collect();
        let signature = published_key().sign(&input).0;
        assert_eq!(hex(&signature), self.text("sigHex"));
        let value = format!("z{}", bs58::encode(signature).into_string());
        assert_eq!(value, self.text("sigBTC58"));
        assert_eq!(self.object("signed")["proof"]["proofValue"], value);
    }

    /// Checks that signing gives the signed document, and that it verifies.
    fn is_signed_by(&self, suite: &Suite) {
        let created = "2023-02-24T23:36:38Z".parse().unwrap();
        let options = ProofOptions::new(Binding::ASSERTION, created);
        let signed = self.object("signed");
        assert_eq!(sign(self.unsecured(), suite, &(&published_key()).into(), &options), Ok(signed.clone()));
        let verified =
            VerifiedProof { controller: published_key().did().into(), created: Some(created), expires: None };
        assert_eq!(check(&signed), Ok(Proofs { verified: vec![verified], not_checked: vec![] }));
        for name in ["name", "description", "validFrom"] {
            let mut tampered = signed.clone();
            tampered[name] = json!("2023-01-01T00:00:01Z");
            assert_eq!(check(&tampered), Err(ProofError::BadSignature), "{name}");
        }
    }
}

#[test]
fn every_intermediate_value_of_eddsa_jcs_2022() {
    assert_eq!(JCS.unsecured(), object("w3c-di-eddsa-jcs-2022/unsigned.json"));
    let texts = jcs::texts(&JCS.unsecured(), &JCS.object("proofConfig"), &[]);
    JCS.follows_from(&texts.document, &texts.proof_config);
    let input = jcs::signing_input(&JCS.unsecured(), &JCS.object("proofConfig"), &[]).unwrap();
    assert_eq!(hex(&input), JCS.text("combinedHash"));
    JCS.is_signed_by(&EDDSA_JCS_2022);
}

#[test]
fn every_intermediate_value_of_eddsa_rdfc_2022() {
    assert_eq!(RDFC.unsecured(), object("w3c-di-eddsa-rdfc-2022/unsigned.json"));
    let texts = rdfc::texts(&RDFC.unsecured(), &RDFC.object("proofConfig"), &[]).unwrap();
    RDFC.follows_from(&texts.document, &texts.proof_config);
    let input = rdfc::signing_input(&RDFC.unsecured(), &RDFC.object("proofConfig"), &[]).unwrap();
    assert_eq!(hex(&input), RDFC.text("combinedHash"));
    RDFC.is_signed_by(&EDDSA_RDFC_2022);
}

#[test]
fn every_intermediate_value_of_ed25519_signature_2020() {
    let texts = rdfc::texts(&FORMER.unsecured(), &FORMER.object("proofConfig"), &[]).unwrap();
    FORMER.follows_from(&texts.document, &texts.proof_config);
    FORMER.is_signed_by(&ED25519_SIGNATURE_2020);
}

/// Its document is in `https://w3id.org/citizenship/v4rc1`, a release candidate that is not among the contexts known here, so
/// that its canonical text cannot be made, only used; the proof's own has no word of that context.
#[test]
fn the_document_in_a_context_that_is_not_known() {
    let vector = RDFC_OF_EMPLOYMENT;
    assert_eq!(vector.unsecured(), object("w3c-di-eddsa-rdfc-2022/employ/unsigned.json"));
    let mut options = vector.object("proofConfig");
    options["@context"].as_array_mut().unwrap().pop();
    vector
        .follows_from(&vector.text("canonDoc"), &rdf::canonical_nquads(&options, rdf::Form::Plain).unwrap());
    let proofs = check(&vector.object("signed")).unwrap();
    assert_eq!(proofs.verified, []);
    let unknown = rdf::RdfError::UnknownContext("https://w3id.org/citizenship/v4rc1".into());
    assert_eq!(proofs.not_checked, [ProofError::Rdf(unknown)]);
}

const CHAIN: &str = "w3c-di-proof-set-chain";

fn of_chain(name: &str) -> Map<String, Value> {
    object(&format!("{CHAIN}/{name}.json"))
}

/// Who has the `n`th key pair.
fn signer(n: usize) -> Signer {
    let pair = &of_chain("multiKeyPairs")[&format!("keyPair{n}")];
    let key = secret(pair["privateKeyMultibase"].as_str().unwrap());
    assert_eq!(key.public().multibase(), pair["publicKeyMultibase"].as_str().unwrap());
    Signer::of_key(SigningKey::from(key))
}

/// The four signatures in their order: options, the proof that they become, the document then.
const SIGNATURES: [[&str; 3]; 4] = [
    ["proofSetConfig1", "proofSetConfigSigned1", "signedProofSet1"],
    ["proofSetConfig2", "proofSetConfigSigned2", "signedProofSet2"],
    ["proofChainConfig1", "proofChainConfigSigned1", "signedProofChain1"],
    ["proofChainConfig2", "proofChainConfigSigned2", "signedProofChain2"],
];

#[test]
fn the_published_set_and_chain_are_signed() {
    let mut document = of_chain("unsigned");
    for (n, [options, proof, signed]) in (1..).zip(SIGNATURES) {
        document = prove(document, of_chain(options), &EDDSA_RDFC_2022, &signer(n)).unwrap();
        let proofs = items(document.get("proof"));
        assert_eq!(proofs.last(), Some(&Value::Object(of_chain(proof))), "{proof}");
        assert_eq!(proofs, items(of_chain(signed).get("proof")), "{signed}");
        let controllers: Vec<Controller> =
            check(&of_chain(signed)).unwrap().verified.into_iter().map(|proof| proof.controller).collect();
        let expected: Vec<Controller> = (1..=n).map(|n| signer(n).controller().clone().into()).collect();
        assert_eq!(controllers, expected, "{signed}");
    }
    assert_eq!(document, of_chain("signedProofChain2"));
}

#[test]
fn a_link_signs_the_document_with_the_proofs_that_it_names() {
    for n in 1..=2 {
        let options = of_chain(&format!("proofChainConfig{n}"));
        let signed = of_chain(&format!("signedProofChain{n}"));
        let previous = previous_proofs(&options, items(signed.get("proof"))).unwrap();
        let text = rdfc::texts(&signed, &options, &previous).unwrap().document;
        assert_eq!(
            text,
            rdf::canonical_nquads(&of_chain(&format!("proofChainTempDoc{n}")), rdf::Form::Plain).unwrap()
        );
    }
}

#[test]
fn each_break_of_the_published_chain_is_found() {
    let broken = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut document = of_chain("signedProofChain2");
        change(document["proof"].as_array_mut().unwrap());
        check(&document).map(|proofs| proofs.verified.len())
    };
    let bad = Err(ProofError::BadSignature);
    for at in 0..4 {
        assert_eq!(broken(&|proofs| proofs[at]["created"] = json!("2023-02-24T23:36:39Z")), bad, "{at}");
        let value =
            |proofs: &mut Vec<Value>| proofs[at]["proofValue"] = proofs[(at + 1) % 4]["proofValue"].clone();
        assert_eq!(broken(&value), bad, "{at}");
        // Nothing hangs on the last; each of the others is named by one that follows.
        let expected = if at == 3 { Ok(3) } else { Err(ProofError::ChainBroken) };
        assert_eq!(broken(&|proofs| drop(proofs.remove(at))), expected, "{at}");
    }
    let first = json!("urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544");
    assert_eq!(
        broken(&|proofs| proofs[2]["previousProof"] = json!([first])),
        bad,
        "one of two is enough no more"
    );
    assert_eq!(broken(&|proofs| proofs[3]["previousProof"] = first.clone()), bad, "another link");
    // The name is signed as well, and a proof is looked at before those that depend on it.
    assert_eq!(broken(&|proofs| proofs[1]["id"] = first.clone()), bad);
    assert_eq!(broken(&|proofs| proofs.push(proofs[0].clone())), Err(ProofError::ChainBroken));
    assert_eq!(
        broken(&|proofs| proofs[3]["id"] = proofs[3]["previousProof"].clone()),
        Err(ProofError::ChainBroken)
    );
    // In RDF the proofs are a set.
    assert_eq!(broken(&|proofs| proofs.swap(0, 1)), Ok(4));
    assert_eq!(broken(&|proofs| proofs.reverse()), Ok(4));
}
