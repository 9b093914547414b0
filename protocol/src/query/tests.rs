#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf, sync::LazyLock};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{limits::MESSAGE_BYTES_MAX, time::Timestamp, vocabulary::Vocabulary, wire};

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::embedded);

fn now() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

fn read(source: &str) -> Result<Parsed, QueryError> {
    parse(source, &VOCABULARY, now())
}

#[test]
fn vectors() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/query");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "no vectors");
    for path in paths {
        let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        check_vector(&path.display().to_string(), &case);
    }
}

fn check_vector(name: &str, case: &Value) {
    let source = case["query"].as_str().unwrap();
    if let Some(at) = case["error_at"].as_u64() {
        let error = read(source).expect_err(name);
        let rendered = error.render(source);
        assert_eq!(error.at as u64, at, "{name}\n{rendered}");
        assert!(rendered.contains(case["error_contains"].as_str().unwrap()), "{name}\n{rendered}");
        assert_eq!(case["error_kind"].as_str(), Some(error.kind.code()), "{name}");
        return;
    }
    let query = read(source).unwrap_or_else(|e| panic!("{name}\n{}", e.render(source))).query;
    if let Some(canonical) = case["canonical"].as_str() {
        assert_eq!(query.to_string(), canonical, "{name}");
        assert_eq!(read(canonical).unwrap().query, query, "{name}");
    }
    if let Some(hex) = case["cbor"].as_str() {
        let bytes = wire::encode(&query);
        assert_eq!(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>(), hex, "{name}");
    }
    if let Some(matches) = case["matches"].as_bool() {
        assert_eq!(query.matches(&OwnedProfile::read(&case["profile"]).facts()), matches, "{name}");
    }
}

/// A vector's profile, which [`Profile`] borrows from.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedProfile {
    #[serde(default)]
    claims: Vec<OwnedClaim>,
    #[serde(default)]
    texts: Vec<String>,
    region: Option<Region>,
    #[serde(default)]
    languages: Vec<Language>,
    #[serde(default)]
    modes: Vec<WorkMode>,
    available: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedClaim {
    skill: SkillId,
    level: Level,
    tier: Tier,
    issuer: Option<Did>,
}

impl OwnedProfile {
    fn read(profile: &Value) -> OwnedProfile {
        serde_json::from_value(profile.clone()).unwrap()
    }

    fn facts(&self) -> Profile<'_> {
        let claims = self.claims.iter().map(|claim| ClaimFacts {
            skill: &claim.skill,
            level: claim.level,
            tier: claim.tier,
            issuer: claim.issuer.as_ref(),
        });
        Profile {
            claims: claims.collect(),
            texts: self.texts.iter().map(String::as_str).collect(),
            region: self.region.as_ref(),
            languages: &self.languages,
            modes: &self.modes,
            available: self.available.as_ref().map(|day| day.parse().unwrap()),
        }
    }
}

#[test]
fn an_error_points_at_its_cause() {
    let source = "rust>=3 AND kubernets>=2 region:DE";
    let rendered = read(source).unwrap_err().render(source);
    assert_eq!(
        rendered,
        "`kubernets` is no known skill\n  rust>=3 AND kubernets>=2 region:DE\n              ^^^^^^^^^\n\
         expected: Kubernetes\ntry: \"Kubernetes\"\n"
    );
    let source = format!("{} \"é", "straße\n".repeat(40));
    let rendered = read(&source).unwrap_err().render(&source);
    let lines: Vec<&str> = rendered.lines().collect();
    let column = lines[2].chars().position(|c| c == '^').unwrap();
    assert_eq!(lines[1].chars().nth(column), Some('"'));
}

#[test]
fn notes_tell_how_each_term_was_understood() {
    let parsed = read("k8s>=2 and flerbing region:de ~\"computer programming\"").unwrap();
    assert_eq!(parsed.notes.len(), 5);
    assert!(parsed.notes[0].contains("the skill Kubernetes") && parsed.notes[0].contains("level 2"));
    assert!(parsed.notes[1].contains("written AND"));
    assert!(parsed.notes[2].contains("matched as text"));
    assert!(!parsed.cut);
}

#[test]
fn an_expansion_that_was_cut_says_so() {
    let row = |i: usize| format!("urn:s:{i}\tKNACK\ts{i}\t\t{}\t1\n", if i == 0 { "" } else { "urn:s:0" });
    let vocabulary = Vocabulary::from_tsv(&(0..=QUERY_EXPANSION_MAX).map(row).collect::<String>()).unwrap();
    let parsed = parse("~s0", &vocabulary, now()).unwrap();
    assert!(parsed.cut && parsed.notes[0].contains("left out"));
    assert_eq!(parsed.query.skills().len(), QUERY_EXPANSION_MAX);
    assert!(!parse("~s1", &vocabulary, now()).unwrap().cut);
}

#[test]
fn requirements_are_what_is_asked_for() {
    let query = read("(rust OR go)>=3").unwrap_err();
    assert_eq!(query.kind, QueryErrorKind::Syntax);
    let query = read("rust>=3 (k8s OR nomad) \"of note\" -java region:DE").unwrap().query;
    let requirements = query.requirements();
    assert_eq!(requirements.len(), 4);
    assert!(matches!(requirements[0], Requirement::Skill(term) if term.min.get() == 3));
    assert!(matches!(requirements[3], Requirement::Text(words) if words.as_str() == "of note"));
    assert_eq!(query.skills().len(), 3);
}

#[test]
fn a_cover_is_the_rarest_skill_of_an_and_and_all_of_an_or() {
    let cover = |source: &str| {
        let query = read(source).unwrap().query;
        let cover = query.covering_skills(|skill| VOCABULARY.idf(skill));
        cover.map(|skills| skills.iter().map(|id| VOCABULARY.label(id).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(cover("python rust"), Some(vec!["Rust".to_owned()]));
    assert_eq!(cover("rust OR go").map(|skills| skills.len()), Some(2));
    assert_eq!(cover("rust OR region:DE"), None);
    assert_eq!(cover("region:DE rust -go"), Some(vec!["Rust".to_owned()]));
}

fn skill(uri: &str) -> Expr {
    Expr::Skill(SkillTerm { any_of: vec![uri.parse().unwrap()], min: Level::MIN, max: Level::MAX })
}

fn nested(depth: usize) -> Expr {
    (1..depth).fold(skill("urn:deepest"), |inner, i| {
        let parts = vec![skill(&format!("urn:s:{i}")), inner];
        if i % 2 == 0 { Expr::And(parts) } else { Expr::Or(parts) }
    })
}

#[test]
fn the_deepest_query_survives_wire_and_text() {
    let query = Query::new(nested(QUERY_DEPTH_MAX)).unwrap();
    let bytes = wire::encode(&query);
    assert_eq!(wire::decode::<Query>(&bytes, MESSAGE_BYTES_MAX).unwrap(), query);
    assert_eq!(read(&query.to_string()).unwrap().query, query);
    assert_eq!(Query::new(nested(QUERY_DEPTH_MAX + 1)), Err(IllegalQuery::TooDeep));
    assert!(wire::decode::<Query>(&wire::encode(&nested(QUERY_DEPTH_MAX + 1)), MESSAGE_BYTES_MAX).is_err());
    let (open, close) = ("(".repeat(5000), ")".repeat(5000));
    assert_eq!(read(&format!("{open}rust{close}")).unwrap_err().kind, QueryErrorKind::TooLarge);
    assert!(read(&format!("{}rust", "NOT ".repeat(4000))).is_ok());
}

#[test]
fn illegal_expressions_are_refused_wherever_they_come_from() {
    let many = |n: usize| (0..n).map(|i| format!("urn:s:{i}").parse().unwrap()).collect::<Vec<SkillId>>();
    let levels = |any_of, min: u8, max: u8| {
        Expr::Skill(SkillTerm { any_of, min: min.try_into().unwrap(), max: max.try_into().unwrap() })
    };
    let not = |expr| Expr::Not(Box::new(expr));
    let wide = |n: usize| Expr::And((0..n).map(|i| skill(&format!("urn:s:{i}"))).collect());
    let long = |i: usize| format!("urn:{}{i:03}", "x".repeat(240)).parse().unwrap();
    let term = |i: usize| levels((i * 64..i * 64 + 64).map(long).collect(), 1, 5);
    for (expr, why) in [
        (Expr::And(vec![]), IllegalQuery::Empty),
        (Expr::Or(vec![skill("urn:a"), Expr::Or(vec![])]), IllegalQuery::Empty),
        (levels(vec![], 1, 5), IllegalQuery::Empty),
        (Expr::Issuer(vec![]), IllegalQuery::Empty),
        (levels(many(65), 1, 5), IllegalQuery::TooManySkills),
        (levels(many(1), 4, 3), IllegalQuery::NoLevel),
        (Expr::Or(vec![term(0), term(1)]), IllegalQuery::TooLong),
        (wide(QUERY_NODES_MAX), IllegalQuery::TooManyNodes),
        (not(skill("urn:a")), IllegalQuery::NothingPositive),
        (Expr::Or(vec![skill("urn:a"), not(skill("urn:b"))]), IllegalQuery::NothingPositive),
        (
            Expr::And(vec![skill("urn:a"), Expr::Or(vec![Expr::Tier(Tier::Peer), skill("urn:b")])]),
            IllegalQuery::BindsNothing,
        ),
    ] {
        let bytes = wire::encode(&expr);
        assert_eq!(Query::new(expr), Err(why));
        assert!(wire::decode::<Query>(&bytes, MESSAGE_BYTES_MAX).is_err(), "{why}");
    }
    assert!(Query::new(wide(QUERY_NODES_MAX - 1)).is_ok());
}

#[test]
fn only_the_simplest_form_is_legal_on_the_wire() {
    for loose in [
        Expr::And(vec![skill("urn:a")]),
        Expr::And(vec![skill("urn:a"), skill("urn:a")]),
        Expr::Or(vec![skill("urn:a"), Expr::Or(vec![skill("urn:b"), skill("urn:c")])]),
        Expr::And(vec![skill("urn:a"), Expr::And(vec![skill("urn:b"), skill("urn:c")])]),
        Expr::And(vec![skill("urn:a"), Expr::Tier(Tier::Peer), Expr::Tier(Tier::Issuer)]),
        Expr::Not(Box::new(Expr::Not(Box::new(skill("urn:a"))))),
    ] {
        let bytes = wire::encode(&loose);
        assert!(wire::decode::<Query>(&bytes, MESSAGE_BYTES_MAX).is_err(), "{loose}");
        let simple = Query::new(loose).unwrap();
        assert_eq!(wire::decode::<Query>(&wire::encode(&simple), MESSAGE_BYTES_MAX).unwrap(), simple);
    }
}

fn leaf() -> impl Strategy<Value = Expr> {
    let uris = prop_oneof!["urn:[a-c]", Just("urn:knackmesh:skill:nomad".to_owned())];
    let dids = prop::collection::vec("did:(key|web):[a-c]".prop_map(|did| did.parse().unwrap()), 1..3);
    prop_oneof![
        4 => (prop::collection::vec(uris, 1..4), 1..=5u8, 1..=5u8).prop_map(|(uris, a, b)| {
            Expr::Skill(SkillTerm {
                any_of: uris.iter().map(|uri| uri.parse().unwrap()).collect(),
                min: a.min(b).try_into().unwrap(),
                max: a.max(b).try_into().unwrap(),
            })
        }),
        1 => "[\\PC]{0,6}[a-zA-Zéß0-9]".prop_map(|text| Expr::Text(text.parse().unwrap())),
        1 => "[A-Z]{2}(-[A-Z0-9]{1,3})?".prop_map(|text| Expr::Region(text.parse().unwrap())),
        1 => "[a-z]{2,3}".prop_map(|text| Expr::Language(text.parse().unwrap())),
        1 => prop::sample::select(&Tier::ALL[..]).prop_map(Expr::Tier),
        1 => dids.prop_map(Expr::Issuer),
        1 => prop::sample::select(&WorkMode::ALL[..]).prop_map(Expr::Mode),
        1 => (0..50_000u32).prop_map(|day| Expr::Available(day.try_into().unwrap())),
    ]
}

fn expressions() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(5, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::Or),
            inner.prop_map(|expr| Expr::Not(Box::new(expr))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_text_is_understood_or_refused_at_a_place(source in "\\PC{0,80}") {
        if let Err(error) = read(&source) {
            prop_assert!(source.get(error.at..error.at + error.length).is_some());
            error.render(&source);
        }
    }

    #[test]
    fn likely_text_too(parts in prop::collection::vec(prop::sample::select(&[
        "rust", "java", "opencv", "zzz", " ", " ", " ", "(", ")", "AND", "OR", "NOT", "-", "~", "\"", "<", ">",
        "=", ">=", "<=", "3", "..", "5", "<urn:a>", "<urn:a|urn:b>", "region:", "DE", "tier:peer", "issuer:",
        "did:web:a", "|", "text:\"", "available:now", "age", ":", ",", "é", "\n",
    ][..]), 0..24)) {
        let source = parts.concat();
        match read(&source) {
            Ok(parsed) => prop_assert_eq!(read(&parsed.query.to_string()).unwrap().query, parsed.query),
            Err(error) => {
                prop_assert!(source.get(error.at..error.at + error.length).is_some());
                error.render(&source);
            }
        }
    }

    #[test]
    fn legal_queries_survive_simplification_wire_and_text(expr in expressions()) {
        if let Ok(query) = Query::new(expr) {
            prop_assert_eq!(&Query::new(query.expr().clone()).unwrap(), &query);
            prop_assert_eq!(&wire::decode::<Query>(&wire::encode(&query), MESSAGE_BYTES_MAX).unwrap(), &query);
            let text = query.to_string();
            let read = read(&text).map_err(|e| TestCaseError::fail(e.render(&text)))?;
            prop_assert_eq!(&read.query, &query);
            query.matches(&Profile::default());
        }
    }

    #[test]
    fn altered_bytes_are_refused_or_mean_what_they_say(
        expr in expressions(), at in any::<prop::sample::Index>(), bit in 0..8u8, keep in any::<prop::sample::Index>()
    ) {
        let mut bytes = wire::encode(&expr);
        prop_assert!(wire::decode::<Query>(&bytes[..keep.index(bytes.len())], MESSAGE_BYTES_MAX).is_err());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(query) = wire::decode::<Query>(&bytes, MESSAGE_BYTES_MAX) {
            prop_assert_eq!(wire::encode(&query), bytes);
            prop_assert!(Query::new(query.expr().clone()).is_ok());
        }
    }

    #[test]
    fn simplification_keeps_the_meaning(expr in expressions(), claims in prop::collection::vec(
        ("urn:[a-c]", 1..=5u8, prop::sample::select(&Tier::ALL[..]), "did:(key|web):[a-c]"), 0..3)
    ) {
        let claims: Vec<(SkillId, Level, Tier, Did)> = claims
            .into_iter()
            .map(|(s, l, t, d)| (s.parse().unwrap(), l.try_into().unwrap(), t, d.parse().unwrap()))
            .collect();
        let profile = Profile {
            claims: claims
                .iter()
                .map(|(skill, level, tier, issuer)| ClaimFacts { skill, level: *level, tier: *tier, issuer: Some(issuer) })
                .collect(),
            ..Profile::default()
        };
        let as_written = Query(expr.clone()).matches(&profile);
        let comparable = means_what_it_says(&expr);
        if let Some(query) = Query::new(expr.clone()).ok().filter(|_| comparable) {
            prop_assert_eq!(query.matches(&profile), as_written, "{} / {}", expr, query);
        }
    }
}

/// Whether each tier and issuer stands where simplification leaves it, next to something else in an AND.
fn means_what_it_says(expr: &Expr) -> bool {
    match expr {
        Expr::And(parts) => {
            let others = parts.iter().filter(|part| !part.constrains_claims()).count();
            others > 0 && parts.len() > 1 && parts.iter().all(means_what_it_says)
        }
        Expr::Or(parts) => {
            let constrains = parts.iter().any(Expr::constrains_claims);
            !constrains && parts.len() > 1 && parts.iter().all(means_what_it_says)
        }
        Expr::Not(part) => !matches!(**part, Expr::Not(_)) && means_what_it_says(part),
        _ => true,
    }
}
