//! What the index costs: throughput against raw tantivy, and latency by kind of query.
//!
//! `cargo bench --bench index [-- SUMMARIES]`. Everything is seeded; both sides of a ratio run in this process, in turns,
//! with the same schema, documents, directory, threads and buffers.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use knackmesh::index::SummaryIndex;
use knackmesh_protocol::{
    consent::Present,
    id::{Id, NodeId},
    key::{Did, PublicKey},
    limits::{LEASE_DEFAULT_MS, QUERY_EXPANSION_MAX, SEARCH_LEADS_MAX, SUMMARY_BYTES_MAX},
    query::{Expr, Query, SkillTerm, parse},
    skill::{Level, SkillId, Tier},
    summary::{Backing, Month, Reach, Summary, Terms},
    terms::{Availability, WorkMode},
    time::Timestamp,
    vocabulary::Vocabulary,
    wire,
};
use serde::Serialize;
use tantivy::{Index, IndexSettings, directory::RamDirectory, indexer::IndexWriterOptions};

#[allow(dead_code)]
#[path = "../src/index/schema.rs"]
mod schema;

const SUMMARIES: usize = 100_000;
/// Documents that raw tantivy is given, made beforehand.
const RAW: usize = 20_000;
const ROUNDS: usize = 5;
const COMMITS: usize = 100;
const QUERIES: usize = 200;
/// Runs of each query, of which the shortest counts: the others met another process.
const RUNS: usize = 3;
/// Leads that a node asks another for when its user wants ten results.
const LIMIT: usize = 50;

fn main() {
    let summaries = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(SUMMARIES);
    let vocabulary = Arc::new(Vocabulary::embedded());
    let mut population = Population::new(&vocabulary);
    println!(
        "population: {summaries} summaries, 3 to 12 claims of {} skills by Zipf's law, seed {SEED}",
        vocabulary.skills().len()
    );
    let held: Vec<Summary> = (0..summaries).map(|_| population.summary()).collect();
    throughput(&held[..RAW.min(summaries)], &vocabulary);
    let small = tempfile::tempdir().unwrap();
    let mut index = SummaryIndex::open(small.path(), vocabulary.clone()).unwrap();
    println!("\non disk, up to {COMMITS} summaries");
    commits("one put and its commit", &mut index, &mut population);
    drop(index);
    let dir = tempfile::tempdir().unwrap();
    let index = fill(dir.path(), &held, &mut population, &vocabulary);
    latency(&index, &mut population);
}

fn now() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

// Indexing

fn throughput(summaries: &[Summary], vocabulary: &Arc<Vocabulary>) {
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut index = SummaryIndex::in_memory(vocabulary.clone()).unwrap();
        let start = Instant::now();
        (1..).zip(summaries).for_each(|(serial, s)| index.put(s, serial).unwrap());
        index.commit().unwrap();
        ours.push(start.elapsed());
        assert_eq!(index.summaries(), summaries.len());

        let fields = schema::Fields::new();
        let settings =
            IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let mut index = Index::create(RamDirectory::create(), fields.schema.clone(), settings).unwrap();
        index.set_tokenizers(schema::Fields::tokenizers());
        let options = IndexWriterOptions::builder().num_worker_threads(1).num_merge_threads(1).build();
        let mut writer = index.writer_with_options(options).unwrap();
        let documents: Vec<_> = summaries.iter().map(|s| fields.document(s, vocabulary)).collect();
        let start = Instant::now();
        for document in documents {
            writer.add_document(document).unwrap();
        }
        writer.commit().unwrap();
        raw.push(start.elapsed());
    }
    // The least disturbed round of each.
    let per_second = |all: Vec<Duration>| rate(summaries.len(), all.into_iter().min().unwrap());
    let (ours, raw) = (per_second(ours), per_second(raw));
    println!(
        "\nindexing {} summaries in memory, one commit, best of {ROUNDS} rounds in turns",
        summaries.len()
    );
    println!("  SummaryIndex::put   {ours:>9.0} /s");
    println!("  raw tantivy         {raw:>9.0} /s  (documents made beforehand)");
    println!("  ratio               {:>9.2}", ours / raw);
    let fields = schema::Fields::new();
    let start = Instant::now();
    summaries.iter().for_each(|s| drop(std::hint::black_box(fields.document(s, vocabulary))));
    println!("  documents made      {:>9.0} /s", rate(summaries.len(), start.elapsed()));
}

fn commits(name: &str, index: &mut SummaryIndex, population: &mut Population) {
    let mut times = Vec::new();
    for serial in 0..COMMITS {
        let summary = population.summary();
        let start = Instant::now();
        index.put(&summary, index.serial() + 1).unwrap();
        index.commit().unwrap();
        times.push(start.elapsed());
        assert!(index.summaries() > serial);
    }
    times.sort();
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    println!("  {name:<27} {:>9.1} ms  p99 {:.1} ms", ms(COMMITS / 2), ms(COMMITS * 99 / 100));
}

fn rate(n: usize, time: Duration) -> f64 {
    n as f64 / time.as_secs_f64()
}

/// Fills an index on disk as a node would, commit by commit, and renews a tenth of it.
fn fill(
    dir: &Path,
    held: &[Summary],
    population: &mut Population,
    vocabulary: &Arc<Vocabulary>,
) -> SummaryIndex {
    let mut index = SummaryIndex::open(dir, vocabulary.clone()).unwrap();
    let start = Instant::now();
    for (serial, summary) in (1..).zip(held) {
        index.put(summary, serial).unwrap();
        if serial % 2000 == 0 {
            index.commit().unwrap();
        }
    }
    index.commit().unwrap();
    let filled = start.elapsed();
    let start = Instant::now();
    let renewed = held.len() / 10;
    for (serial, summary) in (1..).zip(held.iter().step_by(10)) {
        let renewal = population.of_view(summary.view());
        index.put(&renewal, held.len() as u64 + serial).unwrap();
        if serial % 200 == 0 {
            index.commit().unwrap();
        }
    }
    index.commit().unwrap();
    println!("\non disk, {} summaries", held.len());
    println!("  filled, a commit each 2000  {:>9.0} /s", rate(held.len(), filled));
    println!("  renewed, a commit each 200  {:>9.0} /s", rate(renewed, start.elapsed()));
    commits("one put and its commit", &mut index, population);
    drop(index);
    let size: u64 = fs::read_dir(dir).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    let start = Instant::now();
    let index = SummaryIndex::open(dir, vocabulary.clone()).unwrap();
    println!("  size                        {:>9.1} MB", size as f64 / 1e6);
    println!("  opened, checksums compared  {:>9.1} ms", start.elapsed().as_secs_f64() * 1e3);
    assert_eq!(index.summaries(), held.len() + COMMITS);
    index
}

// Queries

fn latency(index: &SummaryIndex, population: &mut Population) {
    println!(
        "\nqueries over {} summaries, {QUERIES} of each kind, best of {RUNS} runs, {LIMIT} nominated",
        index.summaries()
    );
    println!("  {:<34} {:>9} {:>9} {:>9} {:>9}", "kind", "p50 ms", "p99 ms", "max ms", "matched");
    let mut mix = Vec::new();
    for (name, make) in KINDS {
        let queries: Vec<Query> = (0..QUERIES).map(|_| make(population)).collect();
        mix.extend(row(name, index, &queries, LIMIT));
    }
    summed("the mix of all above", mix, None);
    println!("\nthe same for a search of one's own, {SEARCH_LEADS_MAX} nominated");
    for (name, make) in KINDS.iter().take(3) {
        let queries: Vec<Query> = (0..QUERIES).map(|_| make(population)).collect();
        row(name, index, &queries, SEARCH_LEADS_MAX);
    }
}

fn row(name: &str, index: &SummaryIndex, queries: &[Query], limit: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut matched = 0;
    for query in queries {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            let start = Instant::now();
            let found = index.nominate(query, limit, now()).unwrap();
            runs.push((start.elapsed(), found.matched));
        }
        let (time, found) = runs.into_iter().min().unwrap();
        times.push(time);
        matched += found;
    }
    summed(name, times.clone(), Some(matched / queries.len()));
    times
}

fn summed(name: &str, mut times: Vec<Duration>, matched: Option<usize>) {
    times.sort();
    let ms = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1e3;
    let matched = matched.map(|n| n.to_string()).unwrap_or_default();
    let (p50, p99, max) = (ms(times.len() / 2), ms(times.len() * 99 / 100), ms(times.len()));
    println!("  {name:<34} {p50:>9.2} {p99:>9.2} {max:>9.2} {matched:>9}");
}

type Kind = (&'static str, fn(&mut Population) -> Query);

const KINDS: &[Kind] = &[
    ("skill", |p| p.read("{}")),
    ("skill >= 3", |p| p.read("{}>=3")),
    ("skill <= 2", |p| p.read("{}<=2")),
    ("AND of two", |p| p.read("{}>=2 AND {}")),
    ("AND of three", |p| p.read("{}>=3 AND {} AND {}")),
    ("OR of three", |p| p.read("{}>=3 OR {} OR {}")),
    ("AND of ORs, region", |p| p.read("({} OR {}) AND ({}>=2 OR {}) region:DE")),
    ("skill, NOT skill", |p| p.read("{}>=2 AND NOT {}>=4")),
    ("skill, region, language, mode", |p| p.read("{} region:DE-BE lang:en mode:remote")),
    ("skill, tier bound to it", |p| p.read("{}>=2 tier:issuer")),
    ("skill, tier and issuer bound", |p| p.read("{} tier:peer issuer:did:web:i3.example")),
    ("skill, available", |p| p.read("{} available:2027-01-15")),
    ("skill and narrower, up to 64", |p| p.narrower()),
    ("word", |p| p.words(1)),
    ("phrase", |p| p.words(2)),
    ("skill, NOT phrase", |p| {
        let (skill, phrase) = (p.read("{}").expr().clone(), p.words(2).expr().clone());
        Query::new(Expr::And(vec![skill, Expr::Not(Box::new(phrase))])).unwrap()
    }),
    ("region alone", |p| p.read("region:DE")),
    ("tier alone", |p| p.read("tier:issuer")),
];

// The population

const SEED: u64 = 7;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ n >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Draws places 0, 1, 2, .. with weights 1, 1/2, 1/3, ..
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(n: usize) -> Self {
        let mut sum = 0.0;
        Zipf(
            (1..=n)
                .map(|rank| {
                    sum += 1.0 / rank as f64;
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, random: &mut Random) -> usize {
        let at = (random.next() >> 11) as f64 / (1u64 << 53) as f64 * self.0[self.0.len() - 1];
        self.0.partition_point(|sum| *sum <= at)
    }
}

struct Population {
    vocabulary: Arc<Vocabulary>,
    random: Random,
    /// The most frequent first.
    skills: Vec<SkillId>,
    by_skill: Zipf,
    issuers: Vec<Did>,
    by_issuer: Zipf,
}

#[derive(Serialize)]
struct SummaryDraft {
    view: PublicKey,
    sequence: u64,
    issued: Timestamp,
    expires: Timestamp,
    content: ContentDraft,
    reach: Reach,
    present: Present,
    consent: Id,
}

#[derive(Serialize)]
struct ContentDraft {
    claims: Vec<ClaimDraft>,
    headline: String,
    terms: Terms,
}

#[derive(Serialize)]
struct ClaimDraft {
    skill: SkillId,
    level: Level,
    tier: Tier,
    #[serde(skip_serializing_if = "Option::is_none")]
    backing: Option<Backing>,
}

impl Population {
    fn new(vocabulary: &Arc<Vocabulary>) -> Self {
        let mut random = Random(SEED);
        let mut skills: Vec<(u64, SkillId)> =
            vocabulary.skills().iter().map(|s| (random.next(), s.id.clone())).collect();
        skills.sort();
        let skills: Vec<SkillId> = skills.into_iter().map(|(_, id)| id).collect();
        let issuers: Vec<Did> = (0..300).map(|i| format!("did:web:i{i}.example").parse().unwrap()).collect();
        let (by_skill, by_issuer) = (Zipf::new(skills.len()), Zipf::new(issuers.len()));
        Population { vocabulary: vocabulary.clone(), random, skills, by_skill, issuers, by_issuer }
    }

    fn summary(&mut self) -> Summary {
        let mut view = [0; 32];
        view.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.random.next().to_le_bytes()));
        self.of_view(PublicKey::from_bytes(view))
    }

    fn of_view(&mut self, view: PublicKey) -> Summary {
        let draft = SummaryDraft {
            view,
            sequence: 1,
            issued: now(),
            expires: now().plus_ms(LEASE_DEFAULT_MS),
            content: self.content(),
            reach: Reach::Direct(NodeId::from_bytes(vec![0; 34]).unwrap()),
            present: Present::Ask,
            consent: Id([0; 32]),
        };
        wire::decode(&wire::encode(&draft), SUMMARY_BYTES_MAX).unwrap()
    }

    fn content(&mut self) -> ContentDraft {
        let wanted = 3 + self.random.below(10);
        let mut claims: Vec<ClaimDraft> = Vec::new();
        while claims.len() < wanted {
            let skill = self.skill();
            if claims.iter().all(|c| c.skill != skill) {
                claims.push(self.claim(skill));
            }
        }
        let mut headline = String::new();
        for claim in &claims {
            let label = self.vocabulary.label(&claim.skill);
            if headline.len() + label.len() > 190 {
                break;
            }
            headline = if headline.is_empty() { label.to_owned() } else { headline + ", " + label };
        }
        ContentDraft { claims, headline, terms: self.terms() }
    }

    fn skill(&mut self) -> SkillId {
        self.skills[self.by_skill.draw(&mut self.random)].clone()
    }

    fn claim(&mut self, skill: SkillId) -> ClaimDraft {
        let level = [1, 2, 2, 3, 3, 3, 4, 4, 5][self.random.below(9)].try_into().unwrap();
        let tier = [0, 0, 0, 0, 1, 2, 3, 3, 3, 4][self.random.below(10)];
        let backing = (tier > 0).then(|| Backing {
            issuer: self.issuers[self.by_issuer.draw(&mut self.random)].clone(),
            awarded: self.month(),
            commitment: Id([0; 32]),
        });
        ClaimDraft { skill, level, tier: Tier::ALL[tier], backing }
    }

    fn month(&mut self) -> Month {
        let ago = self.random.below(72) as u64;
        Month::of(now().minus_ms(ago * 30 * 86_400_000))
    }

    fn terms(&mut self) -> Terms {
        let regions = ["DE-BE", "DE-BY", "DE", "AT-9", "FR-IDF", "ES", "PL", "IT-25", "NL", "PT-11"];
        let languages = ["en", "de", "fr", "es", "pl"];
        let region = regions[self.random.below(regions.len())].parse().unwrap();
        let first = self.random.below(languages.len());
        let spoken = 1 + self.random.below(2);
        let day = Availability::from_now(now()).days() + self.random.below(180) as u32;
        Terms {
            languages: (first..first + spoken).map(|i| languages[i % 5].parse().unwrap()).collect(),
            region: (self.random.below(10) > 0).then_some(region),
            modes: WorkMode::ALL.into_iter().filter(|_| self.random.below(2) == 0).collect(),
            available: (self.random.below(2) == 0).then(|| day.try_into().unwrap()),
        }
    }

    /// Reads a query, each `{}` a skill by the same law.
    fn read(&mut self, pattern: &str) -> Query {
        let mut source = String::new();
        for (i, part) in pattern.split("{}").enumerate() {
            if i > 0 {
                source += &format!("<{}>", self.skill());
            }
            source += part;
        }
        parse(&source, &self.vocabulary, now()).unwrap().query
    }

    fn narrower(&mut self) -> Query {
        loop {
            let skill = self.skills[self.random.below(self.skills.len())].clone();
            let (any_of, _) = self.vocabulary.narrower(&skill, QUERY_EXPANSION_MAX);
            if any_of.len() >= 8 {
                return Query::new(Expr::Skill(SkillTerm { any_of, min: Level::MIN, max: Level::MAX }))
                    .unwrap();
            }
        }
    }

    /// Consecutive words of a skill's label.
    fn words(&mut self, count: usize) -> Query {
        loop {
            let skill = self.skill();
            let words: Vec<&str> = self.vocabulary.label(&skill).split_whitespace().collect();
            if words.len() >= count {
                let at = self.random.below(words.len() - count + 1);
                if let Ok(words) = words[at..at + count].join(" ").parse() {
                    return Query::new(Expr::Text(words)).unwrap();
                }
            }
        }
    }
}
