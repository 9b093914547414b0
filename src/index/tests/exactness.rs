//! What the index finds and how it orders it, against `Query::matches` and `ranking::score`.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    credential::{TrustEntry, TrustList},
    key::PublicKey,
    query::{Expr, SkillTerm},
    ranking,
    terms::{Availability, Language, Region, WorkMode},
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::*;
use crate::index::SummaryIndex;

const SKILLS: [&str; 7] = ["urn:s:a", "urn:s:b", "urn:s:c", "urn:s:d", "urn:s:e", "urn:x:systems", "urn:x:7"];
const ISSUERS: [&str; 3] = ["did:web:a.example", "did:web:b.example", "did:key:z6Mk"];
const MONTHS: [&str; 6] = ["1970-01", "2020-05", "2025-12", "2026-10", "2026-11", "2031-02"];
const WORDS: [&str; 8] =
    ["distributed", "systems", "Engineering", "c", "STRASSE", "i̇stanbul", "design", "straße"];
const DAYS: [u32; 3] = [0, 20_000, 20_001];

fn skill_id() -> impl Strategy<Value = SkillId> {
    select(&SKILLS[..6]).prop_map(|s| s.parse().unwrap())
}

fn level() -> impl Strategy<Value = Level> {
    (1..=5u8).prop_map(|n| n.try_into().unwrap())
}

fn terms() -> impl Strategy<Value = Terms> {
    let languages = subsequence(vec!["de", "en", "fil"], 0..=3);
    let modes = subsequence(WorkMode::ALL.to_vec(), 0..=3);
    (languages, option::of(region()), modes, option::of(day())).prop_map(
        |(languages, region, modes, available)| {
            let languages = languages.into_iter().map(|l| l.parse().unwrap()).collect();
            Terms { languages, region, modes, available }
        },
    )
}

fn region() -> impl Strategy<Value = Region> {
    select(&["DE", "DE-BE", "DE-BY", "AT"][..]).prop_map(|r| r.parse().unwrap())
}

fn day() -> impl Strategy<Value = Availability> {
    select(&DAYS[..]).prop_map(|d| d.try_into().unwrap())
}

fn content() -> impl Strategy<Value = (Vec<Stated>, String, Terms)> {
    let award = (select(&ISSUERS[..]), select(&MONTHS[..]))
        .prop_map(|(i, m)| (i.parse().unwrap(), m.parse().unwrap()));
    let claim = (level(), select(&Tier::ALL[..]), award, any::<bool>());
    let claims = btree_map(skill_id(), claim, 1..6).prop_map(|claims| {
        let stated = |(skill, (level, tier, award, backed))| {
            let backed = backed || tier > Tier::Claimed;
            (skill, level, tier, backed.then_some(award))
        };
        claims.into_iter().map(stated).collect()
    });
    let headline = vec((select(&WORDS[..]), select(&[" ", ", ", "-"][..])), 0..6)
        .prop_map(|words| words.into_iter().flat_map(|(word, gap)| [word, gap]).collect());
    (claims, headline, terms())
}

fn skill_term() -> impl Strategy<Value = Expr> {
    (vec(skill_id(), 1..4), level(), level()).prop_map(|(any_of, a, b)| {
        Expr::Skill(SkillTerm { any_of, min: a.min(b), max: if a <= b { Level::MAX } else { a } })
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    let words = vec(select(&WORDS[..]), 1..4).prop_map(|words| words.join(" ").parse().unwrap());
    let issuers =
        vec(select(&ISSUERS[..]), 1..3).prop_map(|dids| dids.iter().map(|d| d.parse().unwrap()).collect());
    let language = select(&["de", "fil"][..]).prop_map(|l| l.parse::<Language>().unwrap());
    let leaf = prop_oneof![
        4 => skill_term(),
        2 => words.prop_map(Expr::Text),
        1 => region().prop_map(Expr::Region),
        1 => language.prop_map(Expr::Language),
        1 => select(&Tier::ALL[..]).prop_map(Expr::Tier),
        1 => issuers.prop_map(Expr::Issuer),
        1 => select(&WorkMode::ALL[..]).prop_map(Expr::Mode),
        1 => day().prop_map(Expr::Available),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Expr::And),
            vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|e| Expr::Not(Box::new(e))),
        ]
    })
}

fn queries() -> impl Strategy<Value = Vec<Query>> {
    vec(expr().prop_filter_map("illegal", |expr| Query::new(expr).ok()), 24)
}

fn trusting_all() -> TrustList {
    let mut trust = TrustList::default();
    for did in ISSUERS {
        trust.add(did.parse().unwrap(), TrustEntry::default()).unwrap();
    }
    trust
}

/// Asserts that the index nominates exactly the summaries held that match, and the best of them first.
fn check(index: &SummaryIndex, held: &BTreeMap<PublicKey, Summary>, query: &Query) {
    let (vocabulary, trust) = (vocabulary(), trusting_all());
    let mut scores: BTreeMap<PublicKey, i64> = BTreeMap::new();
    for (view, summary) in held {
        let stated = ranking::stated(summary, &trust);
        if ranking::matches(query, summary, &stated, &vocabulary) {
            scores.insert(*view, ranking::score(query, summary, &stated, &vocabulary, now()).points);
        }
    }
    let mut expected: Vec<i64> = scores.values().copied().collect();
    expected.sort_by(|a, b| b.cmp(a));
    for limit in [usize::MAX, 10, 1, 0] {
        let found = index.nominate(query, limit, now()).unwrap();
        assert_eq!(found.matched, scores.len(), "{query}");
        let nominated: Vec<i64> = found.views.iter().map(|view| scores[view]).collect();
        assert_eq!(nominated, expected[..limit.min(expected.len())], "{query}");
        let distinct: std::collections::BTreeSet<_> = found.views.iter().collect();
        assert_eq!(distinct.len(), found.views.len());
    }
}

/// A change to the index, by view.
#[derive(Clone, Debug)]
enum Change {
    Put(u8, (Vec<Stated>, String, Terms)),
    Remove(u8),
    Commit,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec(
        prop_oneof![
            12 => (0..40u8, content()).prop_map(|(view, content)| Change::Put(view, content)),
            2 => (0..40u8).prop_map(Change::Remove),
            1 => Just(Change::Commit),
        ],
        1..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nominates_what_matches_and_the_best_first(changes in changes(), queries in queries()) {
        let mut index = SummaryIndex::in_memory(vocabulary()).unwrap();
        let mut held = BTreeMap::new();
        for (serial, change) in (1..).zip(changes) {
            match change {
                Change::Put(view, (claims, headline, terms)) => {
                    let summary = summary(view, claims, &headline, terms);
                    index.put(&summary, serial).unwrap();
                    held.insert(summary.view(), summary);
                }
                Change::Remove(view) => {
                    let view = SecretKey::from_seed([view; 32]).public();
                    index.remove(&view).unwrap();
                    held.remove(&view);
                }
                Change::Commit => index.commit().unwrap(),
            }
        }
        index.commit().unwrap();
        prop_assert_eq!(index.summaries(), held.len());
        for query in &queries {
            check(&index, &held, query);
        }
    }
}

#[test]
fn words_are_cut_as_the_protocol_cuts_them() {
    let long = "x".repeat(140);
    let texts = [
        "C++ & Rust",
        "İstanbul",
        "a--b",
        "ﬃ ǅ",
        "①②",
        "e\u{301}te",
        "東京 タワー",
        &format!("a {long} b"),
        "",
    ];
    for text in texts {
        let mut index = SummaryIndex::in_memory(vocabulary()).unwrap();
        let claim = ("urn:x:zz".parse().unwrap(), Level::MIN, Tier::Claimed, None);
        index.put(&summary(1, vec![claim], text, Terms::default()), 1).unwrap();
        index.commit().unwrap();
        let held = index.nominate(&query("<urn:x:zz>"), 1, now()).unwrap();
        assert_eq!(held.matched, 1);
        for wanted in texts.iter().copied().chain(["a b", "b", "te", "e", "1", "i", "rust c", "東京"]) {
            let Ok(words) = wanted.parse::<knackmesh_protocol::query::Words>() else { continue };
            let expected = usize::from(words.occur_in(text));
            let asked = Query::new(Expr::Text(words)).unwrap();
            assert_eq!(index.nominate(&asked, 1, now()).unwrap().matched, expected, "{wanted:?} in {text:?}");
        }
    }
}

#[test]
fn a_phrase_does_not_run_on_from_label_to_label() {
    let mut index = SummaryIndex::in_memory(vocabulary()).unwrap();
    let claim = |skill: &str| (skill.parse().unwrap(), Level::MIN, Tier::Claimed, None);
    index.put(&summary(1, vec![claim("urn:s:a"), claim("urn:s:b")], "", Terms::default()), 1).unwrap();
    index.commit().unwrap();
    let matched = |source: &str| index.nominate(&query(source), 9, now()).unwrap().matched;
    assert_eq!(matched("text:\"distributed systems\""), 1);
    assert_eq!(matched("text:\"systems systems\""), 0);
    assert_eq!(matched("text:\"distributed systems engineering\""), 0);
}

#[test]
fn equals_keep_their_order_for_a_day_and_another_one_in_each_index() {
    let hundred = || {
        let mut index = SummaryIndex::in_memory(vocabulary()).unwrap();
        (0..100).for_each(|view| index.put(&claiming(view, "urn:s:a", 3), 1).unwrap());
        index.commit().unwrap();
        index
    };
    let best =
        |index: &SummaryIndex, at, limit| index.nominate(&query("<urn:s:a>"), limit, at).unwrap().views;
    let (index, other, day_ms) = (hundred(), hundred(), 24 * 3600 * 1000);
    let morning = now().minus_ms(now().unix_ms() % day_ms);
    let evening = morning.plus_ms(day_ms - 1);
    // Who reads on page by page asks for more each time, and later.
    assert_eq!(best(&index, morning, 5), best(&index, evening, 100)[..5]);
    assert_ne!(best(&index, morning, 5), best(&index, evening.plus_ms(1), 5));
    assert_ne!(best(&index, morning, 5), best(&other, morning, 5));
}
