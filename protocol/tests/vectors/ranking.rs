//! Ranking: what a query, a summary, its claims as they count and an instant give, to the point.

use knackmesh_protocol::{
    id::Id,
    query::Query,
    ranking::{Award, Recognition, Recomputed, ScoreStatement, Standing, matches, score, tie_break},
    signed::Signed,
    summary::Summary,
    time::Timestamp,
    vocabulary::Vocabulary,
};
use serde_json::{Value, json};

use super::{Case, fixtures::*, hex, signed::statement, unhex};

/// Weights small enough to compute by hand: A 1000, B 2000, C 3000, anything else 6136.
const TABLE: &str = "urn:a\tKNACK\tA\t\t\t1000\nurn:b\tKNACK\tB\t\t\t2000\nurn:c\tKNACK\tC\t\t\t3000\n";

pub fn outcome(case: &Value) -> Value {
    if let Some(envelope) = case.get("statement") {
        let statement = Signed::<ScoreStatement>::decode(&unhex(envelope)).unwrap();
        let summary = Signed::<Summary>::decode(&unhex(&case["summary"])).unwrap();
        return match statement.body().recompute(&summary, &VOCABULARY) {
            Ok(Recomputed::Same) => json!({"recomputed": "same"}),
            Ok(Recomputed::Different { stated, computed }) => {
                json!({"recomputed": "different", "stated": stated, "computed": computed})
            }
            Err(error) => json!({"error": format!("{error:?}").split('(').next().unwrap().to_lowercase()}),
        };
    }
    let summary = Signed::<Summary>::decode(&unhex(&case["summary"])).unwrap();
    if let Some(seed) = case.get("seed") {
        let seed: [u8; 32] = unhex(seed).try_into().unwrap();
        return json!({"tie_break": hex(tie_break(&seed, summary.body()))});
    }
    let vocabulary = Vocabulary::from_tsv(case["vocabulary"].as_str().unwrap()).unwrap();
    let at: Timestamp = case["time"].as_str().unwrap().parse().unwrap();
    let query: Query =
        knackmesh_protocol::query::parse(case["query"].as_str().unwrap(), &vocabulary, at).unwrap().query;
    let standing: Vec<Standing> = serde_json::from_value(case["standing"].clone()).unwrap();
    let scored = score(&query, summary.body(), &standing, &vocabulary, at);
    let terms: Vec<Value> = scored.terms.iter().map(|t| json!([t.term, t.points])).collect();
    assert_eq!(scored.terms.iter().map(|t| t.points).sum::<i64>(), scored.points);
    let matches = matches(&query, summary.body(), &standing, &vocabulary);
    json!({"points": scored.points, "terms": terms, "matches": matches})
}

pub fn cases() -> Vec<Case> {
    let bare = |uri: &str, at: u8| standing(uri, at, "claimed", None);
    let by = |uri: &str, at: u8, tier: &str, recognition, awarded: &str| {
        standing(uri, at, tier, Some((recognition, awarded)))
    };
    use Recognition::{Distrusted, Listed, Unlisted};
    let mut cases = vec![
        scored("claimed", "the holder's word earns a quarter", "<urn:a>", [bare("urn:a", 1)]),
        scored("evidence", "", "<urn:a>", [by("urn:a", 1, "evidence", Listed, "2026-11")]),
        scored("peer", "", "<urn:a>", [by("urn:a", 1, "peer", Listed, "2026-11")]),
        scored("issuer", "", "<urn:a>", [by("urn:a", 1, "issuer", Listed, "2026-11")]),
        scored("accredited", "", "<urn:a>", [by("urn:a", 1, "accredited", Listed, "2026-11")]),
        scored(
            "level-above",
            "each level above the one asked for adds a tenth",
            "<urn:a>>=2",
            [by("urn:a", 5, "issuer", Listed, "2026-11")],
        ),
        scored(
            "level-missed",
            "what does not meet the term earns nothing",
            "<urn:a>>=4",
            [by("urn:a", 3, "issuer", Listed, "2026-11")],
        ),
        scored("recency", "a hundredth a month", "<urn:a>", [by("urn:a", 1, "issuer", Listed, "2026-01")]),
        scored("recency-least", "down to a half", "<urn:a>", [by("urn:a", 1, "issuer", Listed, "2016-01")]),
        scored(
            "recency-in-the-future",
            "a month to come is no age",
            "<urn:a>",
            [by("urn:a", 1, "issuer", Listed, "2027-01")],
        ),
        scored("unlisted", "three quarters", "<urn:a>", [by("urn:a", 1, "issuer", Unlisted, "2026-11")]),
        scored(
            "distrusted",
            "a tenth, less than the bare word",
            "<urn:a>",
            [by("urn:a", 1, "issuer", Distrusted, "2026-11")],
        ),
        scored(
            "every-signal",
            "all four, each rounded down in turn",
            "<urn:c>>=3 <urn:a>",
            [by("urn:c", 4, "peer", Unlisted, "2026-04"), bare("urn:a", 2)],
        ),
        scored(
            "shares",
            "an AND shares by rarity: 1000 + 2000 + 3000, rounded down",
            "<urn:a> <urn:b> <urn:c>",
            [bare("urn:a", 1), bare("urn:b", 1), bare("urn:c", 1)],
        ),
        scored("share-of-the-missing", "one of two is there", "<urn:a> <urn:b>", [bare("urn:b", 1)]),
        scored(
            "unknown-skill",
            "a skill that the vocabulary lacks weighs 6136",
            "<urn:a> <urn:x>",
            [bare("urn:a", 1), bare("urn:x", 1)],
        ),
        scored(
            "or-better-branch",
            "an OR gives its whole share to its best branch",
            "<urn:a> OR <urn:c>",
            [bare("urn:a", 1), by("urn:c", 1, "issuer", Listed, "2026-11")],
        ),
        scored(
            "or-one-branch",
            "either skill serves the seeker",
            "<urn:a> OR <urn:c>",
            [by("urn:a", 1, "issuer", Listed, "2026-11")],
        ),
        scored(
            "or-first-of-equals",
            "of equally good branches the first",
            "<urn:a> OR <urn:c>",
            [bare("urn:c", 1), bare("urn:a", 1)],
        ),
        scored(
            "or-in-and",
            "an OR weighs as much as its heaviest branch",
            "<urn:a> (<urn:b> OR <urn:c>)",
            [bare("urn:a", 1), bare("urn:b", 1)],
        ),
        scored(
            "and-in-or",
            "the share of a branch is shared within it",
            "<urn:c> OR (<urn:a> AND <urn:b>)",
            [bare("urn:a", 1), bare("urn:b", 1)],
        ),
        scored(
            "any-of",
            "a term with several skills weighs as its rarest, and takes the best claim",
            "<urn:a|urn:c>",
            [bare("urn:a", 5), by("urn:c", 1, "issuer", Listed, "2026-11")],
        ),
        scored(
            "any-of-last-of-equals",
            "of equally good claims the last",
            "<urn:a|urn:c>",
            [bare("urn:a", 1), bare("urn:c", 1)],
        ),
        scored(
            "text",
            "words weigh 6136 and earn their whole share",
            "<urn:a> text:\"rust\"",
            [bare("urn:a", 1)],
        ),
        scored("text-missing", "", "<urn:a> OR text:\"zig\"", [bare("urn:a", 1)]),
        scored(
            "filters",
            "filters and exclusions weigh nothing",
            "<urn:a> region:DE -<urn:b> tier:claimed",
            [bare("urn:a", 1)],
        ),
        scored("filter-alone", "nothing is asked that earns points", "region:DE", [bare("urn:a", 1)]),
        scored(
            "tier-missed",
            "the score is of what there is; whether it matches is another question",
            "<urn:a> tier:issuer",
            [bare("urn:a", 1)],
        ),
    ];
    let of = |who: Who| hex(small_summary(who, 1, now(), 1000).encode());
    for (name, who) in [("tie-break", Who::View), ("tie-break-of-another-view", Who::SecondView)] {
        cases.push((
            name,
            json!({
                "description": "blake3 of the view's key, keyed with the search's seed; the lesser goes first.",
                "seed": hex([10; 32]),
                "summary": of(who),
            }),
        ));
    }
    let mut body = statement().body().clone();
    let mut edited = |name, description: &str, edit: &dyn Fn(&mut ScoreStatement), expect: Value| {
        let original = body.clone();
        edit(&mut body);
        let envelope = hex(Signed::sign(std::mem::replace(&mut body, original), &Who::Seeker.key()).encode());
        let summary = hex(summary().encode());
        (
            name,
            json!({"description": description, "statement": envelope, "summary": summary, "expect": expect}),
        )
    };
    cases.extend([
        edited("statement", "recomputed with the embedded vocabulary", &|_| {}, json!({"recomputed": "same"})),
        edited(
            "statement-points-changed",
            "a point more than was earned",
            &|s| s.points += 1,
            json!({"recomputed": "different", "stated": statement().body().points + 1, "computed": statement().body().points}),
        ),
        edited(
            "statement-term-changed",
            "other words for the same points",
            &|s| s.terms[0].term.push('!'),
            json!({"recomputed": "different", "stated": statement().body().points, "computed": statement().body().points}),
        ),
        edited("statement-other-weights", "weights of another version", &|s| s.weights += 1, json!({"error": "weights"})),
        edited("statement-other-vocabulary", "another vocabulary", &|s| s.idf = Id([0; 32]), json!({"error": "vocabulary"})),
        edited("statement-other-summary", "another summary", &|s| s.summary = Id([0; 32]), json!({"error": "summary"})),
    ]);
    cases
}

fn standing(uri: &str, at: u8, tier: &str, award: Option<(Recognition, &str)>) -> Standing {
    Standing {
        skill: skill(uri),
        level: level(at),
        tier: tier.parse().unwrap(),
        award: award.map(|(recognition, month)| Award {
            issuer: Who::Issuer.key().did(),
            recognition,
            awarded: month.parse().unwrap(),
        }),
    }
}

fn scored<const N: usize>(
    name: &'static str,
    description: &str,
    query: &str,
    standing: [Standing; N],
) -> Case {
    let description = if description.is_empty() { "tier alone" } else { description };
    (
        name,
        json!({
            "description": description,
            "vocabulary": TABLE,
            "query": query,
            "summary": hex(summary().encode()),
            "standing": standing.to_vec(),
            "time": NOW,
        }),
    )
}
