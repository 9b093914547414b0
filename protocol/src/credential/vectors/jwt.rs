//! The cases of credentials as tokens: `vc+jwt`, that of Open Badges 3.0 and that of the data model 1.1.
//!
//! RS256 is verified and not signed here: the tokens of `jwt/rs256/` were signed by OpenSSL.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    case::{Cases, UNTAMPERED, and, expect, fails, unchecked},
    fixtures::{
        Edit, ISSUED, NOW, ON_THE_WEB, RUST, at, badge_token, holder, issuance, issuer, p256, parts,
        stranger, token, unsigned,
    },
};
use crate::{
    credential::{Credential, Format, Signer, enveloped},
    did::did_jwk,
    key::{Did, SigningKey, VerifyingKey},
};

macro_rules! rs256 {
    ($file:literal) => {
        include_str!(concat!("../../../vectors/credential/jwt/rs256/", $file)).trim()
    };
}

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    good_ones(&mut cases);
    other_algorithms(&mut cases);
    forms(&mut cases);
    names_of_keys(&mut cases);
    time(&mut cases);
    tampering(&mut cases);
    claims_that_differ(&mut cases);
    no_tokens(&mut cases);
    cases
}

fn good_ones(cases: &mut Cases) {
    let id = Credential::parse(&badge_token()).unwrap().id().to_string();
    let skills = json!([{"skill": RUST, "name": "Rust", "level": 4}]);
    let good = and(and(expect(true, &[]), "form", "vc+jwt"), "id", id);
    cases.add("good", "A vc+jwt by the issuer.", badge_token(), and(good.clone(), "skills", skills));
    cases.add(
        "good-spaces",
        "White space around the token.",
        format!("\n {}\t\n", badge_token()),
        good.clone(),
    );
    let enveloped = enveloped::credential("application/vc+jwt", &badge_token());
    cases.add(
        "good-enveloped",
        "The token in an EnvelopedVerifiableCredential: the same credential.",
        enveloped,
        good,
    );
    cases.add(
        "good-enveloped-decorated",
        "What the envelope says beside the token is not signed, and is not read.",
        enveloped::credential("application/vc+jwt", &badge_token())
            .edited(|d| d["name"] = json!("Everything")),
        expect(true, &[]),
    );
    cases.add(
        "good-typ-in-full",
        "The media type in full, in another case.",
        signed(|h| h["typ"] = json!("application/VC+JWT"), |_| {}),
        expect(true, &[]),
    );
}

fn other_algorithms(cases: &mut Cases) {
    let es256 = |key: SigningKey| {
        let signer = Signer::of_key(key);
        let issuance =
            crate::credential::open_badge::Issuance { issuer: signer.controller().clone(), ..issuance() };
        issuance.sign(&signer, Format::VcJwt, at(ISSUED)).unwrap()
    };
    let good = es256(p256(4));
    let id = good.id().to_string();
    cases.add(
        "es256-good",
        "ES256, with a did:key on P-256.",
        good.text(),
        and(expect(true, &[]), "id", id.clone()),
    );
    cases.add(
        "es256-other-form",
        "The other of the two forms that an ECDSA signature has: the same credential.",
        with_other_s(good.text()),
        and(expect(true, &[]), "id", id),
    );
    cases.add(
        "es256-tampered",
        "The name was changed after signing.",
        reclaimed(good.text(), |c| c["name"] = json!("Systems Programming")),
        fails("jws-signature"),
    );
    cases.add(
        "rs256-good",
        "RS256, with a did:jwk of an RSA key of 2048 bits.",
        rs256!("did-jwk.jwt"),
        expect(true, &[]),
    );
    cases.add(
        "rs256-tampered",
        "The name was changed after signing.",
        reclaimed(rs256!("did-jwk.jwt"), |c| c["name"] = json!("Systems Programming")),
        fails("jws-signature"),
    );
    let key: Value = serde_json::from_str(rs256!("key.json")).unwrap();
    let method = format!("{ON_THE_WEB}#key-1");
    let document = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": ON_THE_WEB,
        "verificationMethod": [
            {"id": method, "type": "JsonWebKey2020", "controller": ON_THE_WEB, "publicKeyJwk": key},
        ],
        "assertionMethod": [method],
    });
    cases
        .add("rs256-did-web", "RS256, with a key of a did:web.", rs256!("did-web.jwt"), expect(true, &[]))
        .knowing_document(document, NOW);
    cases.add(
        "rs256-key-in-header",
        "As Open Badges 3.0 allows it: the key is in the header, and nothing shows that it is the issuer's.",
        rs256!("key-in-header.jwt"),
        and(
            expect(
                false,
                &[
                    (UNTAMPERED, "NOT_CHECKED", "key-unbound"),
                    ("trusted_issuer", "NOT_CHECKED", "issuer-not-a-did"),
                ],
            ),
            "verified",
            false,
        ),
    );
    cases.add(
        "alg-of-another-key",
        "ES256, with a key of Ed25519.",
        signed(|h| h["alg"] = json!("ES256"), |_| {}),
        fails("alg-of-another-key"),
    );
    let did = did_jwk(&VerifyingKey::from(issuer().public())).unwrap();
    cases.add("did-jwk", "The issuer is a did:jwk.", by(&did, &format!("{did}#0")), expect(true, &[]));
    cases.add(
        "did-jwk-other-method",
        "A did:jwk has one key, and that is `#0`.",
        by(&did, &format!("{did}#1")),
        fails("did-method-unknown"),
    );
}

fn forms(cases: &mut Cases) {
    let skills = || json!([{"skill": RUST, "name": "Rust", "level": 4}]);
    cases.add(
        "open-badge",
        "As Open Badges 3.0 has it: the credential, with some of it again in registered claims.",
        open_badge(|_| {}),
        and(expect(true, &[]), "skills", skills()),
    );
    cases.add(
        "version-1",
        "As the data model 1.1 has it: in the claim `vc`, with all of it again in registered claims.",
        version_1(|_| {}),
        and(expect(true, &[]), "skills", skills()),
    );
    let lean = || {
        version_1(|claims| {
            for name in ["id", "issuanceDate", "expirationDate"] {
                claims["vc"].as_object_mut().unwrap().remove(name);
            }
            claims["vc"]["issuer"].as_object_mut().unwrap().remove("id");
            claims["vc"]["credentialSubject"].as_object_mut().unwrap().remove("id");
        })
    };
    let whole = and(expect(true, &[]), "skills", skills());
    let whole = and(and(whole, "subject", holder().did().to_string()), "issuer", issuer().did().to_string());
    cases.add("version-1-lean", "What registered claims say was left out of the credential.", lean(), whole);
    cases
        .add(
            "version-1-lean-expired",
            "Where it is left out, `exp` is when it ends.",
            lean(),
            expect(false, &[("unexpired", "FAIL", "expired")]),
        )
        .at("2028-01-01T00:00:00Z");
    cases.add(
        "version-1-in-vc-jwt",
        "A vc+jwt has no claim `vc`: its payload is the credential.",
        resigned(&version_1(|_| {}), |h| h["typ"] = json!("vc+jwt"), |_| {}),
        json!("property"),
    );
    cases.add(
        "version-1-vc-text",
        "A claim `vc` that is a text.",
        version_1(|c| c["vc"] = json!("{}")),
        json!("property"),
    );
}

fn names_of_keys(cases: &mut Cases) {
    cases.add(
        "kid-absent",
        "An issuer whose DID states its one key needs no name for it.",
        signed(|h| drop(h.as_object_mut().unwrap().remove("kid")), |_| {}),
        expect(true, &[]),
    );
    cases.add(
        "kid-is-the-issuer",
        "The key is named by the issuer's DID alone.",
        signed(|h| h["kid"] = json!(issuer().did()), |_| {}),
        expect(true, &[]),
    );
    cases.add(
        "kid-relative",
        "The key is named by a fragment alone.",
        signed(|h| h["kid"] = json!(format!("#{}", issuer().public().multibase())), |_| {}),
        expect(true, &[]),
    );
    cases.add(
        "kid-of-another",
        "Signed by another, who says so.",
        resigned_by(&stranger().into(), |h| h["kid"] = json!(Signer::from(&stranger()).method())),
        fails("proof-not-the-issuers"),
    );
    cases.add(
        "kid-of-the-issuer",
        "Signed by another, who names the issuer's key.",
        resigned_by(&stranger().into(), |_| {}),
        fails("jws-signature"),
    );
    cases.add(
        "kid-mismatch",
        "A did:key whose fragment names another key.",
        signed(
            |h| h["kid"] = json!(format!("{}#{}", issuer().did(), stranger().public().multibase())),
            |_| {},
        ),
        fails("did-method-unknown"),
    );
    cases.add(
        "kid-malformed",
        "A name that is no DID URL.",
        signed(|h| h["kid"] = json!("did:key:#"), |_| {}),
        fails("did-malformed"),
    );
    cases.add(
        "kid-a-url",
        "A key that lies at a URL, which would have to be fetched.",
        signed(|h| h["kid"] = json!("https://academy.example/keys#1"), |_| {}),
        unchecked("key-unresolved"),
    );
    let jwk = Value::Object(VerifyingKey::from(stranger().public()).to_jwk());
    cases.add(
        "key-in-header-of-another",
        "Another's key in the header, which is not used: the issuer's DID states the issuer's.",
        resigned_by(&stranger().into(), |h| {
            h["jwk"] = jwk.clone();
            h.as_object_mut().unwrap().remove("kid");
        }),
        fails("jws-signature"),
    );
    let web: Did = ON_THE_WEB.parse().unwrap();
    cases.add(
        "key-unresolved",
        "The issuer's key is at a did:web whose document is not known.",
        by(&web, &format!("{web}#key-1")),
        and(unchecked("key-unresolved"), "needs", json!([{"document": web}])),
    );
    let (header, claims) = parts(&by(&web, ""));
    let without_kid = header.edited(|h| drop(h.as_object_mut().unwrap().remove("kid")));
    cases.add(
        "key-unnamed",
        "A did:web can have many keys, and none is named.",
        token(&without_kid, &claims, &issuer().into()),
        unchecked("key-unnamed"),
    );
    let with_key = without_kid.edited(|h| h["jwk"] = jwk);
    cases.add(
        "key-unbound",
        "None is named, but one is in the header: nothing shows that it is the issuer's.",
        token(&with_key, &claims, &stranger().into()),
        unchecked("key-unbound"),
    );
    cases.add(
        "key-unbound-tampered",
        "One is in the header, and another signed.",
        token(&with_key, &claims, &issuer().into()),
        fails("jws-signature"),
    );
}

fn time(cases: &mut Cases) {
    let seconds = |text: &str| at(text).unix_ms() / 1000;
    let expired = |code| expect(false, &[("unexpired", "FAIL", code)]);
    cases.add(
        "exp-passed",
        "`exp` has come; `validUntil` has not.",
        signed(|_| {}, |c| c["exp"] = json!(seconds(NOW))),
        expired("expired"),
    );
    cases.add(
        "exp-to-come",
        "`exp` comes in a second.",
        signed(|_| {}, |c| c["exp"] = json!(seconds(NOW) + 1)),
        expect(true, &[]),
    );
    cases
        .add(
            "exp-later-than-valid-until",
            "`validUntil` has come; `exp` has not.",
            signed(|_| {}, |c| c["exp"] = json!(seconds("2030-01-01T00:00:00Z"))),
            expired("expired"),
        )
        .at("2028-01-01T00:00:00Z");
    cases.add(
        "nbf-to-come",
        "`nbf` comes in a second; `validFrom` has come.",
        signed(|_| {}, |c| c["nbf"] = json!(seconds(NOW) + 1)),
        expired("not-yet-valid"),
    );
    cases
        .add(
            "nbf-earlier-than-valid-from",
            "`nbf` has come; `validFrom` has not.",
            signed(|_| {}, |c| c["nbf"] = json!(0)),
            expired("not-yet-valid"),
        )
        .at("2025-12-31T23:59:59.999Z");
    cases.add(
        "exp-text",
        "An `exp` that is a text.",
        signed(|_| {}, |c| c["exp"] = json!("2030")),
        json!("jwt-date"),
    );
}

fn tampering(cases: &mut Cases) {
    cases.add(
        "tampered-payload",
        "The name was changed after signing.",
        reclaimed(&badge_token(), |c| c["name"] = json!("Systems Programming")),
        fails("jws-signature"),
    );
    let (header, claims) = parts(&badge_token());
    let text = badge_token();
    let (input, signature) = text.rsplit_once('.').unwrap();
    let other = token(&header.edited(|h| h["cty"] = json!("text")), &claims, &issuer().into());
    let (other_input, _) = other.rsplit_once('.').unwrap();
    cases.add(
        "tampered-header",
        "The header was changed after signing.",
        format!("{other_input}.{signature}"),
        fails("jws-signature"),
    );
    let short = URL_SAFE_NO_PAD.encode([1; 63]);
    cases.add(
        "signature-short",
        "A signature of 63 bytes.",
        format!("{input}.{short}"),
        fails("jws-signature"),
    );
    cases.add("signature-empty", "No signature.", format!("{input}."), fails("jws-signature"));
}

fn claims_that_differ(cases: &mut Cases) {
    let stranger = stranger().did();
    for (name, claim, description) in [
        ("issuer", "iss", "`iss` is not the issuer."),
        ("subject", "sub", "`sub` is not the subject."),
        ("id", "jti", "`jti` is not the credential's id."),
    ] {
        cases.add(
            &format!("{name}-differs"),
            description,
            open_badge(|c| c[claim] = json!(stranger)),
            json!("claims-differ"),
        );
        cases.add(
            &format!("version-1-{name}-differs"),
            description,
            version_1(|c| c[claim] = json!(stranger)),
            json!("claims-differ"),
        );
    }
    cases.add(
        "issuer-no-text",
        "An `iss` that is no text.",
        open_badge(|c| c["iss"] = json!([])),
        json!("claims-differ"),
    );
}

fn no_tokens(cases: &mut Cases) {
    cases.add("refused-alg-none", "Nobody signed it.", unsigned_token(json!("none")), json!("alg-none"));
    cases.add(
        "refused-alg-none-disguised",
        "The same, in another case.",
        unsigned_token(json!("nOnE")),
        json!("alg-none"),
    );
    cases.add(
        "refused-alg-hs256",
        "A secret that issuer and verifier would share.",
        signed(|h| h["alg"] = json!("HS256"), |_| {}),
        json!("alg-unsupported"),
    );
    cases.add(
        "refused-crit",
        "An extension that must be understood.",
        signed(|h| h["crit"] = json!(["exp"]), |_| {}),
        json!("crit-unsupported"),
    );
    cases.add(
        "refused-key-private",
        "A header with a private key in it.",
        signed(|h| h["jwk"] = json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}), |_| {}),
        json!("jwk-private"),
    );
    cases.add(
        "refused-payload-list",
        "A payload that is no object.",
        token(&parts(&badge_token()).0, &json!([]), &issuer().into()),
        json!("not-an-object"),
    );
    cases.add(
        "refused-two-parts",
        "A token without a signature.",
        "eyJhbGciOiJFZERTQSJ9.e30",
        json!("jws-form"),
    );
    cases.add(
        "refused-padding",
        "Base64url with padding.",
        format!("{}=", badge_token()),
        json!("jws-base64"),
    );
    cases.add(
        "refused-no-credential",
        "Claims that are no credential.",
        token(&parts(&badge_token()).0, &json!({"iss": issuer().did()}), &issuer().into()),
        json!("context"),
    );
    cases.add(
        "refused-envelope-empty",
        "An envelope without a token.",
        enveloped::credential("application/vc+jwt", ""),
        json!("envelope"),
    );
    cases.add(
        "refused-envelope-type",
        "An envelope of another media type.",
        enveloped::credential("text/plain", &badge_token()),
        json!("envelope"),
    );
}

/// The badge with header and claims changed before signing.
fn signed(header: impl FnOnce(&mut Value), claims: impl FnOnce(&mut Value)) -> String {
    resigned(&badge_token(), header, claims)
}

fn resigned(text: &str, header: impl FnOnce(&mut Value), claims: impl FnOnce(&mut Value)) -> String {
    let (own_header, own_claims) = parts(text);
    token(&own_header.edited(header), &own_claims.edited(claims), &issuer().into())
}

/// The badge, signed with another's key.
fn resigned_by(key: &SigningKey, header: impl FnOnce(&mut Value)) -> String {
    let (own_header, claims) = parts(&badge_token());
    token(&own_header.edited(header), &claims, key)
}

/// The badge by another issuer, who signs with the key of ours, by the name `kid`.
fn by(did: &Did, kid: &str) -> String {
    signed(|h| h["kid"] = json!(kid), |c| c["issuer"]["id"] = json!(did))
}

/// The token with its claims changed after signing.
fn reclaimed(text: &str, claims: impl FnOnce(&mut Value)) -> String {
    let [header, _, signature] = text.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let changed = parts(text).1.edited(claims).to_string();
    format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(changed))
}

fn unsigned_token(alg: Value) -> String {
    let (header, claims) = parts(&badge_token());
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header.edited(|h| h["alg"] = alg)), part(claims))
}

/// The badge with registered claims beside what they repeat.
fn open_badge(change: impl FnOnce(&mut Value)) -> String {
    let claims = Value::Object(unsigned()).edited(|c| {
        c["iss"] = c["issuer"]["id"].clone();
        c["jti"] = c["id"].clone();
        c["sub"] = c["credentialSubject"]["id"].clone();
        c["nbf"] = json!(at(ISSUED).unix_ms() / 1000);
        c["exp"] = json!(at("2028-01-01T00:00:00Z").unix_ms() / 1000);
    });
    let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": Signer::from(&issuer()).method()});
    token(&header, &claims.edited(change), &issuer().into())
}

/// The badge in a claim of its own.
fn version_1(change: impl FnOnce(&mut Value)) -> String {
    let (header, claims) = parts(&open_badge(|_| {}));
    let mut vc = unsigned();
    vc["@context"][0] = json!("https://www.w3.org/2018/credentials/v1");
    for (name, former) in [("validFrom", "issuanceDate"), ("validUntil", "expirationDate")] {
        let date = vc.remove(name).unwrap();
        vc.insert(former.into(), date);
    }
    let registered = ["iss", "jti", "sub", "nbf", "exp"].map(|name| (name.to_owned(), claims[name].clone()));
    let mut claims = Value::Object(registered.into_iter().collect());
    claims["vc"] = Value::Object(vc);
    token(&header, &claims.edited(change), &issuer().into())
}

/// The token with the other of the two forms of its ECDSA signature, r and n - s.
fn with_other_s(text: &str) -> String {
    // The order of P-256 (SEC 2, section 2.4.2).
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let (input, signature) = text.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let order = i16::from(u8::from_str_radix(&ORDER[2 * at..2 * at + 2], 16).unwrap());
        let digit = order - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        signature[32 + at] = digit.rem_euclid(256) as u8;
    }
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}
