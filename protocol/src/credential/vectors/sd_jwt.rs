//! The cases of credentials as SD-JWT VC: as files, and bound to a holder's key.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    case::{Case, Cases, UNTAMPERED, and, expect, fails, unchecked},
    fixtures::{
        CHALLENGE, Edit, ISSUED, NOW, ON_THE_WEB, RUST, at, did_document, holder, issuance, issuer, p256,
        parts, signer_on_the_web, stranger, token,
    },
};
use crate::{
    claim_path::ClaimPath,
    credential::{
        Credential, Format, Securing, Signer,
        open_badge::{AlignedSkill, Issuance},
    },
    jose::{
        Header,
        sd_jwt::{Issuance as SdJwtIssuance, SdJwt},
    },
    key::{SecretKey, SigningKey, VerifyingKey},
    limits::{CLOCK_SKEW_MAX_MS, KEY_BINDING_AGE_MAX_MS},
    time::Timestamp,
};

const TEACHING: &str = "urn:example:skill:teaching";

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    what_is_shown(&mut cases);
    signatures(&mut cases);
    time(&mut cases);
    disclosures(&mut cases);
    no_credentials(&mut cases);
    cases.show("presentation");
    bound(&mut cases);
    badly_bound(&mut cases);
    badly_timed(&mut cases);
    bound_to_other_keys(&mut cases);
    cases
}

fn what_is_shown(cases: &mut Cases) {
    let id = badge().id().to_string();
    let rust = || json!({"skill": RUST, "name": "Rust", "level": 4});
    let both = json!([rust(), {"skill": TEACHING, "name": "Teaching", "level": 4}]);
    let good = || and(and(expect(true, &[]), "form", "dc+sd-jwt"), "id", id.clone());
    let about_holder = || and(good(), "subject", holder().did().to_string());
    cases.add("good", "All is shown.", badge().text(), and(about_holder(), "skills", both.clone()));
    cases.add(
        "good-some-withheld",
        "One skill is shown, another withheld, and the rest of what may be: the same credential.",
        badge().disclosing(&[RUST.parse().unwrap()]).text(),
        and(about_holder(), "skills", json!([rust()])),
    );
    cases.add(
        "good-all-withheld",
        "Nothing is shown that can be withheld; the subject is who has the key that it is bound to.",
        badge().disclosing(&[]).text(),
        and(about_holder(), "skills", json!([])),
    );
    cases.add(
        "good-reordered",
        "Disclosures have no order.",
        with_disclosures(|disclosures| disclosures.reverse()),
        and(about_holder(), "skills", both),
    );
    let recognised = expect(true, &[("trusted_issuer", "PASS", "")]);
    cases
        .add("good-listed", "By a listed issuer.", badge().text(), and(recognised, "tier", "issuer"))
        .trusting(json!([{"did": issuer().did()}]));
}

fn signatures(cases: &mut Cases) {
    let signer = Signer::of_key(p256(4));
    let es256 = Issuance { issuer: signer.controller().clone(), ..badge_issuance() };
    let es256 = es256.sign(&signer, Format::SdJwt, at(ISSUED)).unwrap();
    cases.add("es256-good", "ES256, with a did:key on P-256.", es256.text(), expect(true, &[]));
    let web = signer_on_the_web(&issuer());
    let by_web = Issuance { issuer: web.controller().clone(), ..badge_issuance() };
    let by_web = by_web.sign(&web, Format::SdJwt, at(ISSUED)).unwrap();
    cases
        .add("did-web", "By a did:web whose document is known.", by_web.text(), expect(true, &[]))
        .knowing_document(did_document(&issuer().into()), NOW);
    cases.add(
        "key-unresolved",
        "By a did:web whose document is not known.",
        by_web.text(),
        and(unchecked("key-unresolved"), "needs", json!([{"document": ON_THE_WEB}])),
    );
    cases.add(
        "tampered-payload",
        "The issuer was changed after signing.",
        with_token(|token| {
            let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
                panic!("three parts")
            };
            let claims = parts(token).1.edited(|c| c["exp"] = json!(4_000_000_000_u64));
            format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
        }),
        fails("jws-signature"),
    );
    let resign = |key: SigningKey, kid: String| {
        with_token(|text| {
            let (header, claims) = parts(text);
            token(&header.edited(|h| h["kid"] = json!(kid)), &claims, &key)
        })
    };
    let kid = |key: SecretKey| Signer::from(&key).method().to_owned();
    cases.add(
        "kid-of-another",
        "Signed by another, who says so.",
        resign(stranger().into(), kid(stranger())),
        fails("proof-not-the-issuers"),
    );
    cases.add(
        "kid-of-the-issuer",
        "Signed by another, who names the issuer's key.",
        resign(stranger().into(), kid(issuer())),
        fails("jws-signature"),
    );
    cases.add(
        "alg-of-another-key",
        "ES256, with a key of Ed25519.",
        with_token(|text| {
            let (header, claims) = parts(text);
            token(&header.edited(|h| h["alg"] = json!("ES256")), &claims, &issuer().into())
        }),
        fails("alg-of-another-key"),
    );
}

fn time(cases: &mut Cases) {
    let fails = |code| expect(false, &[("unexpired", "FAIL", code)]);
    let end = "2028-01-01T00:00:00Z";
    cases.add("expired", "At `exp` it has ceased to hold.", badge().text(), fails("expired")).at(end);
    let before = "2025-12-31T23:59:59.999Z";
    cases
        .add("not-yet-valid", "One millisecond before `nbf`.", badge().text(), fails("not-yet-valid"))
        .at(before);
    let without_nbf = issued(|c| drop(c.remove("nbf")), &[]);
    cases
        .add("not-yet-issued", "Without `nbf`, `iat` is when it begins.", without_nbf, fails("not-yet-valid"))
        .at(before);
    let withdrawn = json!({"status_list": {"idx": 7, "uri": "https://academy.example/statuses/1"}});
    cases.add(
        "status-token-list",
        "A status in a Token Status List, which is not read.",
        issued(|c| drop(c.insert("status".into(), withdrawn)), &[]),
        expect(
            false,
            &[
                ("unrevoked", "NOT_CHECKED", "status-type-unsupported"),
                ("fresh", "NOT_CHECKED", "status-type-unsupported"),
            ],
        ),
    );
}

fn disclosures(cases: &mut Cases) {
    let other = URL_SAFE_NO_PAD.encode(json!(["c2FsdA", "name", "Everything"]).to_string());
    cases.add(
        "tampered-disclosure",
        "What is disclosed was changed: the issuer signed no digest of it.",
        with_disclosures(|disclosures| disclosures[0].clone_from(&other)),
        json!("disclosure-unreferenced"),
    );
    cases.add(
        "extra-disclosure",
        "One more than the issuer made.",
        with_disclosures(|disclosures| disclosures.push(other.clone())),
        json!("disclosure-unreferenced"),
    );
    cases.add(
        "repeated-disclosure",
        "One of them twice.",
        with_disclosures(|disclosures| disclosures.push(disclosures[0].clone())),
        json!("disclosure-repeated"),
    );
    cases.add(
        "malformed-disclosure",
        "A disclosure that is no list.",
        with_disclosures(|disclosures| disclosures.push("e30".into())),
        json!("disclosure-malformed"),
    );
    let nested = issued(|_| {}, &["achievement", "achievement/name"]);
    cases.add("nested", "A claim that can be withheld inside another.", nested.clone(), expect(true, &[]));
    let outer = SdJwt::parse(&nested).unwrap();
    let outer = outer.disclosures().iter().find(|disclosure| disclosure.parent().is_none()).unwrap();
    cases.add(
        "missing-disclosure",
        "The inner is shown without the outer, so that it has no place.",
        nested.replace(&format!("{}~", outer.text()), ""),
        json!("disclosure-unreferenced"),
    );
    for (claim, name) in
        [("exp", "hidden-exp"), ("iss", "hidden-iss"), ("cnf", "hidden-cnf"), ("vct", "hidden-vct")]
    {
        cases.add(
            name,
            &format!("`{claim}` can be withheld; every verifier must see it."),
            issued(|c| drop(c.insert("cnf".into(), json!({"jwk": holder_jwk()}))), &[claim]),
            json!("vc-claim-hidden"),
        );
    }
}

fn no_credentials(cases: &mut Cases) {
    cases.add(
        "refused-vct",
        "It does not say what kind of credential it is.",
        issued(|c| drop(c.remove("vct")), &[]),
        json!("vc-claim"),
    );
    cases.add(
        "refused-typ",
        "The type of another kind of token.",
        with_token(|text| {
            let (header, claims) = parts(text);
            token(&header.edited(|h| h["typ"] = json!("JWT")), &claims, &issuer().into())
        }),
        json!("vc-typ"),
    );
    cases.add("refused-iss", "No issuer.", issued(|c| drop(c.remove("iss")), &[]), json!("issuer"));
    cases.add(
        "refused-iss-name",
        "An issuer that is no URL.",
        issued(|c| c["iss"] = json!("Example Academy"), &[]),
        json!("issuer"),
    );
    cases.add(
        "refused-validity-reversed",
        "It would end before it begins.",
        issued(|c| c["exp"] = json!(0), &[]),
        json!("validity-reversed"),
    );
    cases.add(
        "refused-cnf",
        "Bound to a key in a form that is not read, and to no subject.",
        issued(
            |c| {
                c.remove("sub");
                c.insert("cnf".into(), json!({"kid": "1"}));
            },
            &[],
        ),
        json!("holder-key"),
    );
    let (head, _) = parts(&token_of(badge().text()));
    cases.add(
        "refused-alg-none",
        "Nobody signed it.",
        with_token(|text| {
            let (_, claims) = parts(text);
            let header = head.clone().edited(|h| h["alg"] = json!("none"));
            token(&header, &claims, &issuer().into())
        }),
        json!("alg-none"),
    );
}

fn bound(cases: &mut Cases) {
    let rust = json!({"skill": RUST, "name": "Rust", "level": 4});
    let teaching = json!({"skill": TEACHING, "name": "Teaching", "level": 4});
    add(
        cases,
        "bound",
        "The holder shows all of it, now, to this verifier.",
        bind(badge().text(), |_| {}, |_| {}),
        presented(and(shown(true, &[]), "skills", json!([rust, teaching]))),
    );
    add(
        cases,
        "bound-some-withheld",
        "The holder shows one skill.",
        bind(badge().disclosing(&[RUST.parse().unwrap()]).text(), |_| {}, |_| {}),
        presented(and(shown(true, &[]), "skills", json!([rust]))),
    );
    add(
        cases,
        "bound-all-withheld",
        "The holder shows nothing but whose credential it is.",
        bind(badge().disclosing(&[]).text(), |_| {}, |_| {}),
        presented(and(shown(true, &[]), "skills", json!([]))),
    );
    let forged = with_token(|text| {
        let (header, claims) = parts(text);
        token(&header, &claims, &stranger().into())
    });
    add(
        cases,
        "bound-forged",
        "The holder shows a credential that the issuer did not sign.",
        bind(&forged, |_| {}, |_| {}),
        presented(shown(false, &[(UNTAMPERED, "FAIL", "jws-signature")])),
    );
    add(
        cases,
        "bound-expired",
        "The holder shows a credential that has ended.",
        bind(&issued(|c| c["exp"] = json!(at(NOW).unix_ms() / 1000), &[]), |_| {}, |_| {}),
        presented(shown(false, &[("unexpired", "FAIL", "expired")])),
    );
}

fn badly_bound(cases: &mut Cases) {
    let good = || badge().text().to_owned();
    add(cases, "kb-missing", "Not bound to anybody's key.", good(), json!("kb-missing"));
    for (name, description, claim, value) in [
        ("kb-wrong-nonce", "An answer to another nonce.", "nonce", json!("other")),
        ("kb-wrong-audience", "Made for another verifier.", "aud", json!(issuer().did())),
        ("kb-wrong-hash", "Over other disclosures.", "sd_hash", json!(hash(badge().disclosing(&[]).text()))),
        ("kb-claims", "A nonce that is no text.", "nonce", json!(7)),
    ] {
        let text = bind(&good(), |_| {}, |claims| claims[claim] = value);
        add(cases, name, description, text, json!(name));
    }
    let bound = bind(&good(), |_| {}, |_| {});
    let (_, binding) = bound.rsplit_once('~').unwrap();
    add(
        cases,
        "kb-disclosure-removed",
        "A disclosure was taken away after binding.",
        format!("{}{binding}", badge().disclosing(&[RUST.parse().unwrap()]).text()),
        json!("kb-wrong-hash"),
    );
    add(
        cases,
        "kb-typ",
        "A token of another type.",
        bind(&good(), |h| h["typ"] = json!("JWT"), |_| {}),
        json!("kb-typ"),
    );
    add(
        cases,
        "kb-by-another",
        "Bound by another than the holder.",
        bind_by(&good(), &stranger().into(), |_| {}, |_| {}),
        json!("kb-bad-signature"),
    );
    add(
        cases,
        "kb-alg-none",
        "The binding is signed by nobody.",
        bind(&good(), |h| h["alg"] = json!("none"), |_| {}),
        json!("alg-none"),
    );
}

fn badly_timed(cases: &mut Cases) {
    let bound_at = |instant: Timestamp| {
        bind(badge().text(), |_| {}, |claims| claims["iat"] = json!(instant.unix_ms() / 1000))
    };
    let oldest = at(NOW).minus_ms(KEY_BINDING_AGE_MAX_MS + CLOCK_SKEW_MAX_MS);
    let newest = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS);
    let good = || presented(shown(true, &[]));
    add(cases, "kb-oldest", "As old as is accepted.", bound_at(oldest), good());
    add(cases, "kb-newest", "As far in the future as clocks may differ.", bound_at(newest), good());
    add(cases, "kb-too-old", "A second older.", bound_at(oldest.minus_ms(1000)), json!("kb-too-old"));
    add(cases, "kb-in-future", "A second further.", bound_at(newest.plus_ms(1000)), json!("kb-in-future"));
    let expired = bind(badge().text(), |_| {}, |claims| claims["exp"] = json!(0));
    add(cases, "kb-expired", "The binding states an end, and that has come.", expired, json!("kb-too-old"));
}

fn bound_to_other_keys(cases: &mut Cases) {
    let key = p256(5);
    let to_p256 = Issuance { subject: key.did(), ..badge_issuance() };
    let to_p256 = to_p256.sign(&Signer::from(&issuer()), Format::SdJwt, at(ISSUED)).unwrap();
    add(
        cases,
        "bound-p256",
        "A holder with a key on P-256.",
        bind_by(to_p256.text(), &key, |h| h["alg"] = json!("ES256"), |_| {}),
        json!({"holder": key.did(), "credentials": [shown(true, &[])]}),
    );
    add(
        cases,
        "bound-by-subject",
        "Bound to no key: the subject's DID states its own.",
        bind(&issued(|_| {}, &[]), |_| {}, |_| {}),
        presented(shown(true, &[])),
    );
    add(
        cases,
        "bound-by-key",
        "About nobody who is named: whoever has the key that it is bound to is the subject.",
        bind(
            &issued(
                |c| {
                    c.remove("sub");
                    c.insert("cnf".into(), json!({"jwk": holder_jwk()}));
                },
                &[],
            ),
            |_| {},
            |_| {},
        ),
        presented(shown(true, &[])),
    );
    add(
        cases,
        "kb-nobodys",
        "Bound to no key, and about nobody: no binding can hold.",
        bind(&issued(|c| drop(c.remove("sub")), &[]), |_| {}, |_| {}),
        json!("kb-not-the-holders-key"),
    );
}

/// Adds a presentation to a verifier who lists the issuer.
fn add<'a>(cases: &'a mut Cases, name: &str, description: &str, text: String, expect: Value) -> &'a mut Case {
    cases.add(name, description, text, expect).trusting(json!([{"did": issuer().did()}]))
}

/// A credential of a listed issuer, shown by its subject, but for the checks that differ.
fn shown(verified: bool, differing: &[(&'static str, &'static str, &'static str)]) -> Value {
    let mut all = vec![("trusted_issuer", "PASS", ""), ("trusted_holder", "PASS", "")];
    all.extend(differing);
    expect(verified, &all)
}

fn presented(credential: Value) -> Value {
    json!({"holder": holder().did(), "credentials": [credential]})
}

fn badge_issuance() -> Issuance {
    let mut issuance = issuance();
    issuance.skills.push(AlignedSkill {
        skill: TEACHING.parse().unwrap(),
        label: "Teaching".into(),
        framework: None,
    });
    issuance
}

/// The badge with two skills, as its issuer hands it out.
fn badge() -> Credential {
    badge_issuance().sign(&Signer::from(&issuer()), Format::SdJwt, at(ISSUED)).unwrap()
}

/// The issuer's token of a text with disclosures.
fn token_of(text: &str) -> String {
    text.split('~').next().unwrap().to_owned()
}

fn with_token(change: impl FnOnce(&str) -> String) -> String {
    let badge = badge();
    let (token, rest) = badge.text().split_once('~').unwrap();
    format!("{}~{rest}", change(token))
}

fn with_disclosures(change: impl FnOnce(&mut Vec<String>)) -> String {
    let badge = badge();
    let Securing::SdJwt(vc) = badge.securing() else { panic!("an SD-JWT VC") };
    let mut disclosures = vc.sd_jwt().disclosures().iter().map(|d| d.text().to_owned()).collect();
    change(&mut disclosures);
    let disclosures: String = disclosures.iter().map(|text| format!("{text}~")).collect();
    format!("{}~{disclosures}", token_of(badge.text()))
}

/// What the badge claims, bound to no key, with `change` made before signing. The claims at `disclosable` (member names with
/// slashes between them) can be withheld, no others.
fn issued(change: impl FnOnce(&mut Map<String, Value>), disclosable: &[&str]) -> String {
    let mut claims = badge().document().clone();
    claims.remove("cnf");
    change(&mut claims);
    let path = |path: &&str| path.split('/').fold(ClaimPath::default(), |path, name| path.member(name));
    let disclosable: BTreeSet<ClaimPath> = disclosable.iter().map(path).collect();
    let issuance = SdJwtIssuance { claims, disclosable, ..SdJwtIssuance::default() };
    let kid = Signer::from(&issuer()).method().to_owned();
    let header = Header { typ: Some("dc+sd-jwt".into()), kid: Some(kid), ..Header::default() };
    let signed = issuance.sign(&header, &issuer().into(), &mut ChaCha20Rng::from_seed([9; 32]));
    signed.unwrap().text().to_owned()
}

fn holder_jwk() -> Value {
    Value::Object(VerifyingKey::from(holder().public()).to_jwk())
}

fn bind(text: &str, header: impl FnOnce(&mut Value), claims: impl FnOnce(&mut Value)) -> String {
    bind_by(text, &holder().into(), header, claims)
}

/// The text with a key binding, whose header and claims were changed before signing.
fn bind_by(
    text: &str,
    key: &SigningKey,
    header: impl FnOnce(&mut Value),
    claims: impl FnOnce(&mut Value),
) -> String {
    let own_header = json!({"alg": "EdDSA", "typ": "kb+jwt"});
    let own_claims = json!({
        "iat": at(NOW).unix_ms() / 1000, "aud": stranger().did(), "nonce": CHALLENGE, "sd_hash": hash(text),
    });
    format!("{text}{}", token(&own_header.edited(header), &own_claims.edited(claims), key))
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
