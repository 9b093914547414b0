//! The examples of RFC 9901 and of its reference implementation.

use serde_json::{Map, Value};

use super::{
    super::{
        super::{decode, encode},
        ExpectedBinding, HashAlgorithm, KeyBinding, SdJwt,
        vc::SdJwtVc,
    },
    key, read_all,
};
use crate::{key::SigningKey, limits::CLOCK_SKEW_MAX_MS, time::Timestamp};

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn digests_as_section_4_2_states_them() {
    let name_disclosures = [
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
        "WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
    ];
    for text in name_disclosures {
        let content: Value = serde_json::from_slice(&decode(text).unwrap()).unwrap();
        assert_eq!(content[2], "Möbius");
    }
    let digest = |text: &str| HashAlgorithm::Sha256.digest(text);
    assert_eq!(digest(name_disclosures[0]), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
    let element = "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0";
    assert_eq!(digest(element), "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs");
}

#[test]
fn the_published_examples() {
    let cases = read_all("rfc9901");
    assert_eq!(cases.len(), 11);
    let mut bound = 0;
    for (name, text) in cases {
        let case: Value = serde_json::from_str(&text).unwrap();
        let issued = SdJwt::parse_issued(case["issued"].as_str().unwrap()).unwrap();
        issued.verify(&key(&case["issuer"])).unwrap();
        assert_eq!(issued.token().claims().unwrap(), *case["payload"].as_object().unwrap(), "{name}");
        check_disclosures(&name, &case, &issued);

        let presented = SdJwt::parse(case["presented"].as_str().unwrap()).unwrap();
        presented.verify(&key(&case["issuer"])).unwrap();
        assert_eq!(presented.claims(), case["verified"].as_object().unwrap(), "{name}");

        let shown: Vec<&str> = presented.disclosures().iter().map(|d| d.text()).collect();
        let selected = issued.select(|disclosure| shown.contains(&disclosure.text()));
        let again = SdJwt::parse(selected.text()).unwrap();
        assert_eq!(again.claims(), presented.claims(), "{name}: our selection shows what theirs does");

        assert_eq!(presented.is_bound(), case.get("key_binding").is_some(), "{name}");
        if let Some(stated) = case.get("key_binding") {
            check_binding(&name, &case, stated, &presented);
            bound += 1;
        }
    }
    assert_eq!(bound, 4);
}

/// Every disclosure has the digest that is published, and a place; together they say what the user's claims do.
fn check_disclosures(name: &str, case: &Value, issued: &SdJwt) {
    let published = case["disclosures"].as_array().unwrap();
    for one in published {
        let digest = HashAlgorithm::Sha256.digest(one["disclosure"].as_str().unwrap());
        assert_eq!(one["digest"], digest, "{name}");
        assert!(issued.disclosures().iter().any(|d| one["disclosure"] == d.text()), "{name}: {digest}");
    }
    assert_eq!(issued.disclosures().len(), published.len(), "{name}");
    assert_eq!(issued.withheld(), case.get("decoys").map_or(0, |decoys| texts(decoys).len()), "{name}");
    for disclosure in issued.disclosures() {
        assert!(disclosure.path().find(issued.claims()).is_some(), "{name}: {}", disclosure.path());
    }
    let mut claims = issued.claims().clone();
    let user: &Map<String, Value> = case["user_claims"].as_object().unwrap();
    for added in ["iss", "iat", "exp", "cnf"].into_iter().filter(|claim| !user.contains_key(*claim)) {
        claims.remove(added);
    }
    assert_eq!(claims, *user, "{name}");
}

fn check_binding(name: &str, case: &Value, stated: &Value, presented: &SdJwt) {
    let holder = presented.holder_key().unwrap().unwrap();
    assert_eq!(holder, key(&case["holder"]), "{name}");
    let made = Timestamp::from_unix_ms(stated["iat"].as_u64().unwrap() * 1000);
    let good = ExpectedBinding {
        audience: Some(stated["aud"].as_str().unwrap()),
        nonce: Some(stated["nonce"].as_str().unwrap()),
        now: made,
        age_max_ms: 0,
    };
    assert_eq!(presented.verify_key_binding(&holder, &good), Ok(made), "{name}");
    let code = |expected| presented.verify_key_binding(&holder, &expected).unwrap_err().code();
    assert_eq!(code(ExpectedBinding { audience: Some("x"), ..good }), "kb-wrong-audience");
    assert_eq!(code(ExpectedBinding { nonce: Some("x"), ..good }), "kb-wrong-nonce");
    let late = made.plus_ms(CLOCK_SKEW_MAX_MS + 1);
    assert_eq!(code(ExpectedBinding { now: late, ..good }), "kb-too-old");
    let early = made.minus_ms(CLOCK_SKEW_MAX_MS + 1);
    assert_eq!(code(ExpectedBinding { now: early, ..good }), "kb-in-future");
    let issuer = key(&case["issuer"]);
    assert_eq!(presented.verify_key_binding(&issuer, &good).unwrap_err().code(), "kb-bad-signature");
    assert_eq!(stated["sd_hash"], HashAlgorithm::Sha256.digest(presented.unbound()));
}

/// The holder's secret key, which RFC 9901 publishes in appendix A.5, signs what we present.
#[test]
fn the_published_credential_is_presented_by_us() {
    let secret = decode("5K5SCos8zf9zRemGGUl6yfok-_NiiryNZsvANWMhF-I").unwrap();
    let secret = SigningKey::p256(secret.try_into().unwrap()).unwrap();
    let case: Value = serde_json::from_str(&read_all("rfc9901")["arf-pid"]).unwrap();
    let credential = SdJwtVc::parse(case["issued"].as_str().unwrap()).unwrap();
    assert_eq!(credential.vct(), "urn:eudi:pid:de:1");
    assert_eq!(credential.issuer(), Some("https://pid-issuer.bund.de.example"));
    assert_eq!(credential.valid_until().unwrap().unix_ms(), 1_883_000_000_000);
    let issued = credential.sd_jwt();
    let wanted =
        issued.disclosures().iter().find(|d| d.path().to_string() == "age_equal_or_over.18").unwrap();
    let presentation = issued.select_paths(&[wanted.path().clone()]);
    let binding = KeyBinding {
        audience: "seeker",
        nonce: &encode([1; 16]),
        issued: Timestamp::from_unix_ms(1_790_000_000_000),
    };
    let text = presentation.bind(&binding, &secret).unwrap();
    let presented = SdJwtVc::parse(&text).unwrap();
    let expected = ExpectedBinding {
        audience: Some(binding.audience),
        nonce: Some(binding.nonce),
        now: binding.issued.plus_ms(1000),
        age_max_ms: 60_000,
    };
    let presented = presented.sd_jwt();
    presented.verify(&key(&case["issuer"])).unwrap();
    presented.verify_key_binding(&presented.holder_key().unwrap().unwrap(), &expected).unwrap();
    assert_eq!(presented.claims()["age_equal_or_over"], serde_json::json!({"18": true}));
    assert_eq!(presented.disclosures().len(), 2);
    let stranger = SigningKey::p256([9; 32]).unwrap();
    assert_eq!(presentation.bind(&binding, &stranger).unwrap_err().code(), "kb-not-the-holders-key");
}
