//! The shelf, with sled and tantivy behind it, against the index that the simulator lends its peers. Two peers with the same keys and
//! the same chance are told the same; all that may differ is in which order equals stand, and so which of them a limit leaves out.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use knackmesh_protocol::{
    consent::{Consent, Present},
    id::NodeId,
    inquiry::Undertaking,
    key::SecretKey,
    limits::LEADS_MAX,
    message::{Envelope, Leads, Request, Response},
    peer::{
        ChannelId, Command, CommandId, GossipId, Input, Lent, Outcome, Output, Peer, Reply, Specification,
    },
    query::parse,
    signed,
    skill::{Level, SkillId},
    summary::{Content, Reach, Terms, Tombstone},
    terms::WorkMode,
};
use knackmesh_simulations::{
    index::Store as Model,
    population::{Person, Population},
    scenario::{START, Scenario},
    streams::{place, stream},
};

use super::*;

const PEOPLE: u32 = 220;
const QUERIES: u32 = 40;
const HOUR_MS: u64 = 3_600_000;
/// As many as a search for the best so many asks of another node, and of the own index.
const LIMITS: [usize; 4] = [1, 50, 70, LEADS_MAX];
const TOP: usize = 100;

/// A peer over the shelf of a node, and its twin over that of the simulator.
struct Twins {
    now: Timestamp,
    person: Person,
    vocabulary: Arc<Vocabulary>,
    real: (Peer, Shelf),
    model: (Peer, Model),
    said: u64,
    _home: tempfile::TempDir,
}

impl Twins {
    fn new(population: &Population, scenario: &Scenario, now: Timestamp) -> Self {
        let home = tempfile::tempdir().unwrap();
        let vocabulary = Arc::new(Vocabulary::embedded());
        let shelf =
            Shelf::open(&home.path().join("store"), &home.path().join("index"), vocabulary.clone()).unwrap();
        let person = population.person(scenario, 0, now);
        let peer = || Peer::new(person.identity.clone(), [7; 32], Memory::default(), now);
        Twins {
            now,
            real: (peer(), shelf),
            model: (peer(), Model::new(population.vocabulary.clone(), now)),
            person,
            vocabulary,
            said: 0,
            _home: home,
        }
    }

    /// Hands both the same. Whatever they then want kept is; what they say is returned.
    fn hand(&mut self, input: Input) -> (Vec<Output>, Vec<Output>) {
        let known = &Default::default();
        let (wallet, trust, vocabulary) = (&self.person.purse, &self.person.trust, &*self.vocabulary);
        self.model.1.now = self.now;
        let lend = |index| Lent { index, wallet, trust, known, vocabulary };
        let real = self.real.0.handle(self.now, input.clone(), &lend(&self.real.1));
        let model = self.model.0.handle(self.now, input, &lend(&self.model.1));
        assert_eq!(self.real.0.wake_at(), self.model.0.wake_at());
        let said = |output: &Output| !matches!(output, Output::Persist(_));
        let changes = |outputs: &[Output]| -> Vec<Change> {
            let change = |output: &Output| match output {
                Output::Persist(change) => Some(change.clone()),
                _ => None,
            };
            outputs.iter().filter_map(change).collect()
        };
        assert_eq!(changes(&real), changes(&model));
        for change in changes(&real) {
            self.real.1.apply(&change).unwrap();
            self.model.1.apply(change);
        }
        (real.into_iter().filter(said).collect(), model.into_iter().filter(said).collect())
    }

    fn tell(&mut self, item: &Item) {
        let from = NodeId::from_bytes(vec![1; 34]).unwrap();
        self.said += 1;
        let told = self.hand(Input::Gossip {
            message: GossipId(self.said),
            from: from.into(),
            topic: item.topic(),
            bytes: item.encode(),
        });
        assert_eq!(format!("{:?}", told.0), format!("{:?}", told.1));
    }

    /// Time passes; leases end.
    fn wait(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        while let Some(at) = self.real.0.wake_at().filter(|at| *at <= end) {
            self.now = at;
            self.hand(Input::Wake);
        }
        self.now = end;
    }

    /// The summaries held and their points for a query, as stated.
    fn points(&self, summary: &Summary, query: &Query) -> i64 {
        let stated = ranking::stated_for_anyone(summary);
        ranking::score(query, summary, &stated, &self.vocabulary, self.now).points
    }

    /// Whom each of the two nominates.
    fn nominations_are_equal(&self, query: &Query) {
        for limit in LIMITS {
            let of = |index: &dyn Index| index.nominate(query, limit, self.now);
            let (real, model) = (of(&self.real.1), of(&self.model.1));
            assert_eq!(real.matched, model.matched, "{query}");
            self.same(query, &real.summaries, &model.summaries);
            assert_eq!(real.summaries.len(), limit.min(real.matched), "{query}");
        }
    }

    /// The same points in the same order; and the same summaries, but for those that share the last's points when not all fit.
    fn same(&self, query: &Query, real: &[Signed<Summary>], model: &[Signed<Summary>]) {
        let points = |summaries: &[Signed<Summary>]| -> Vec<i64> {
            summaries.iter().map(|s| self.points(s.body(), query)).collect()
        };
        assert_eq!(points(real), points(model), "{query}");
        let last = real.last().map_or(0, |s| self.points(s.body(), query));
        let safe = |summaries: &[Signed<Summary>]| -> BTreeMap<PublicKey, Id> {
            let above = summaries.iter().filter(|s| self.points(s.body(), query) > last);
            above.map(|s| (s.body().view(), s.id())).collect()
        };
        assert_eq!(safe(real), safe(model), "{query}");
    }

    /// What each of the two answers another node.
    fn answers_are_equal(&mut self, query: &Query) {
        self.said += 1;
        // Everybody asks for the first time, so that no budget ends.
        let from = NodeId::from_bytes(self.said.to_be_bytes().to_vec()).unwrap();
        let limit = u16::try_from(LEADS_MAX).unwrap();
        let bytes = Request::find(query.clone(), limit).encode();
        let (real, model) =
            self.hand(Input::Request { from: from.into(), channel: ChannelId(self.said), bytes });
        let leads = |outputs: &[Output]| -> Leads {
            let [Output::Respond { bytes, .. }] = outputs else { panic!("{outputs:?}") };
            let Ok(Response::Leads(leads)) = Response::decode(bytes) else { panic!("no leads") };
            leads
        };
        let (real, model) = (leads(&real), leads(&model));
        assert_eq!(
            (real.matched, real.held, real.reconciled),
            (model.matched, model.held, model.reconciled),
            "{query}"
        );
        let summaries = |leads: &Leads| -> Vec<Signed<Summary>> {
            let decoded = signed::decode_all(
                &leads.summaries.iter().map(|Envelope(bytes)| bytes.as_slice()).collect::<Vec<_>>(),
            );
            decoded.into_iter().map(Result::unwrap).collect()
        };
        self.same(query, &summaries(&real), &summaries(&model));
    }

    /// What each of the two finds, to the last byte: whom it asks for a presentation, the order of the results and every
    /// statement, where nobody is left out.
    fn searches_are_equal(&mut self, query: &Query) {
        self.said += 1;
        let undertaking =
            Undertaking { purpose: "a search".into(), retention_days: 30, contact: "a@example.org".into() };
        let specification = Specification { query: query.clone(), top: TOP, deadline_ms: 1000, undertaking };
        let id = CommandId(self.said);
        let begun = self.hand(Input::Command(id, Command::Search(specification)));
        self.now = self.now.plus_ms(1000);
        let ended = self.hand(Input::Wake);
        let sent = |outputs: &[Output]| -> String {
            let sent = outputs.iter().filter(|output| matches!(output, Output::Send { .. }));
            sent.map(|output| format!("{output:?}\n")).collect()
        };
        let outcome = |(begun, ended): (&[Output], &[Output])| -> Outcome {
            let reply = begun.iter().chain(ended).find_map(|output| match output {
                Output::Reply(_, Reply::Found(Ok(outcome))) => Some(Outcome::clone(outcome)),
                _ => None,
            });
            reply.unwrap()
        };
        let (real, model) = (outcome((&begun.0, &ended.0)), outcome((&begun.1, &ended.1)));
        assert_eq!(real.coverage, model.coverage, "{query}");
        if real.coverage.matched <= 2 * TOP + 50 {
            assert_eq!(sent(&begun.0), sent(&begun.1), "{query}");
            assert_eq!(real.withheld, model.withheld, "{query}");
            let statements = |outcome: &Outcome| -> Vec<Vec<u8>> {
                outcome.results.iter().map(|found| found.statement.encode()).collect()
            };
            assert_eq!(statements(&real), statements(&model), "{query}");
        }
    }
}

/// What one view says and how often it has.
struct Speaker {
    person: Person,
    sequence: u64,
    last: Option<Signed<Summary>>,
    greatest: Timestamp,
}

impl Speaker {
    fn publishes(&mut self, content: Content, lease_ms: u64, now: Timestamp) -> Item {
        self.sequence += 1;
        let identity = &self.person.identity;
        let consent =
            Consent::give(identity.view.public(), content, self.person.present, now, lease_ms).unwrap();
        let reach = Reach::Direct(identity.node_id.clone());
        let consent = Signed::sign(consent, &identity.view);
        let summary = Summary::new(&consent, self.sequence, reach, now).unwrap();
        let summary = Signed::sign(summary, &identity.view);
        self.greatest = self.greatest.max(summary.body().expires());
        self.last = Some(summary.clone());
        Item::Summary(summary)
    }

    fn withdraws(&mut self, now: Timestamp) -> Item {
        let last = self.last.take().unwrap();
        let tombstone = Tombstone::new(last.body(), self.greatest, now);
        Item::Tombstone(Signed::sign(tombstone, &self.person.identity.view))
    }
}

fn speakers(population: &Population, scenario: &Scenario, now: Timestamp) -> Vec<Speaker> {
    let of = |node| {
        let person = population.person(scenario, node, now);
        Speaker { person, sequence: 0, last: None, greatest: Timestamp::EPOCH }
    };
    scenario.professionals().map(of).collect()
}

/// Draws, each from a stream of its own; skills that are common come often.
struct Draw<'p> {
    drawn: u32,
    population: &'p Population,
    seed: u64,
}

impl Draw<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.drawn += 1;
        place(&mut stream(self.seed, self.drawn, "test"), n)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn skill(&mut self) -> SkillId {
        let most = 1 + self.below(self.population.skills.len());
        self.population.skills[self.below(most)].clone()
    }

    fn level(&mut self) -> usize {
        1 + self.below(5)
    }

    /// What a professional might say instead: bare claims, and terms that the population does not have.
    fn content(&mut self, view: &SecretKey) -> Content {
        let bare: BTreeMap<SkillId, Level> = (0..self.level())
            .map(|_| (self.skill(), u8::try_from(self.level()).unwrap().try_into().unwrap()))
            .collect();
        let terms = Terms {
            languages: ["de", "en", "fr"][self.below(3)..].iter().map(|l| l.parse().unwrap()).collect(),
            region: Some(self.one_of(&["DE-BE", "DE-BY", "AT-9", "FR"]).parse().unwrap()),
            modes: WorkMode::ALL[self.below(3)..].to_vec(),
            available: Some((20_700 + u32::try_from(self.below(40)).unwrap()).try_into().unwrap()),
        };
        let bare: Vec<(SkillId, Level)> = bare.into_iter().collect();
        Content::draft(&[], &bare, terms, &self.population.vocabulary, view).unwrap().0
    }

    fn term(&mut self) -> String {
        let skill = self.skill();
        match self.below(8) {
            0 => format!("<{skill}>>={}", self.level()),
            1 => format!("<{skill}>={}..5", self.level()),
            2 => {
                let label = self.population.vocabulary.label(&skill).to_owned();
                let words: Vec<&str> = label.split_whitespace().collect();
                format!("text:\"{}\"", self.one_of(&words))
            }
            3 => format!("region:{}", self.one_of(&["DE", "DE-BE", "AT", "FR", "NL"])),
            4 => format!("lang:{}", self.one_of(&["en", "de"])),
            5 => self
                .one_of(&["mode:remote", "mode:onsite", "available:2026-09-20", "available:now"])
                .to_owned(),
            _ => format!("<{skill}>"),
        }
    }

    fn query(&mut self, now: Timestamp) -> Query {
        let vocabulary = self.population.vocabulary.clone();
        loop {
            let (skill, a, b) = (self.skill(), self.term(), self.term());
            let text = match self.below(9) {
                0 => format!("<{skill}>"),
                1 => format!("<{skill}> AND {a}"),
                2 => format!("<{skill}> OR {a}"),
                3 => format!("<{skill}> AND NOT {a}"),
                4 => format!("(<{skill}> OR {a}) AND NOT {b}"),
                5 => format!("<{skill}> tier:{}", self.one_of(&["issuer", "peer"])),
                6 => format!("(<{skill}> tier:issuer) OR ({a} AND {b})"),
                7 => format!("{a} OR {b}"),
                _ => a,
            };
            // A label can have a word that no query can ask for, and an alternative that only excludes is none.
            if let Ok(parsed) = parse(&text, &vocabulary, now) {
                return parsed.query;
            }
        }
    }
}

/// Asks both at this instant.
fn ask(twins: &mut Twins, draw: &mut Draw<'_>) {
    for n in 0..QUERIES {
        let query = draw.query(twins.now);
        twins.nominations_are_equal(&query);
        twins.answers_are_equal(&query);
        if n % 5 == 0 {
            twins.searches_are_equal(&query);
        }
    }
}

#[test]
fn a_peer_over_the_shelf_finds_what_its_twin_in_the_simulator_finds() {
    for seed in 1..=3 {
        let scenario = Scenario { seed, employers: 1, professionals: PEOPLE, ..Scenario::default() };
        let population = Population::new(&scenario);
        // Days before the month ends, so that awards grow older.
        let now = START.plus_ms(7 * 24 * HOUR_MS);
        let mut twins = Twins::new(&population, &scenario, now);
        let mut draw = Draw { drawn: 0, population: &population, seed };
        let mut speakers = speakers(&population, &scenario, now);

        for speaker in &mut speakers {
            let (content, _) = speaker.person.content.clone().unwrap();
            let lease_ms = HOUR_MS * (1 + 24 * draw.below(7) as u64);
            twins.tell(&speaker.publishes(content, lease_ms, now));
        }
        ask(&mut twins, &mut draw);
        twins.real.1.commit().unwrap();
        ask(&mut twins, &mut draw);

        twins.wait(HOUR_MS);
        let held = twins.real.0.summaries();
        assert!(held < PEOPLE as usize, "some leases have ended");
        for (n, speaker) in speakers.iter_mut().enumerate() {
            match n % 5 {
                0 => {
                    let content = draw.content(&speaker.person.identity.view);
                    twins.tell(&speaker.publishes(content, 5 * 24 * HOUR_MS, twins.now));
                }
                1 => twins.tell(&speaker.withdraws(twins.now)),
                _ => {}
            }
        }
        ask(&mut twins, &mut draw);
        twins.real.1.commit().unwrap();
        ask(&mut twins, &mut draw);

        // Of those that withdrew some are back, and wait for the index to commit.
        for speaker in speakers.iter_mut().skip(1).step_by(10) {
            let content = draw.content(&speaker.person.identity.view);
            twins.tell(&speaker.publishes(content, 6 * 24 * HOUR_MS, twins.now));
        }
        twins.wait(4 * 24 * HOUR_MS);
        ask(&mut twins, &mut draw);
        assert!(twins.real.0.summaries() > 50, "there is somebody to be found");
    }
}

#[test]
fn the_pages_of_a_search_fit_together_whatever_is_committed_between_them() {
    const PAGE: usize = 10;
    let home = tempfile::tempdir().unwrap();
    let vocabulary = Arc::new(Vocabulary::embedded());
    let (store, index) = (home.path().join("store"), home.path().join("index"));
    let mut shelf = Shelf::open(&store, &index, vocabulary.clone()).unwrap();
    let skill = vocabulary.skills()[0].id.clone();
    for n in 0..90 {
        let view = SecretKey::from_seed([n; 32]);
        let bare = [(skill.clone(), Level::MAX)];
        let (content, _) = Content::draft(&[], &bare, Terms::default(), &vocabulary, &view).unwrap();
        let consent = Consent::give(view.public(), content, Present::Ask, START, HOUR_MS).unwrap();
        let reach = Reach::Direct(NodeId::from_bytes(vec![0; 34]).unwrap());
        let summary = Summary::new(&Signed::sign(consent, &view), 1, reach, START).unwrap();
        shelf.apply(&Change::Keep(Item::Summary(Signed::sign(summary, &view)))).unwrap();
        if n == 40 {
            shelf.commit().unwrap();
        }
    }
    let query = parse(&format!("<{skill}>"), &vocabulary, START).unwrap().query;
    let mut seen = Vec::new();
    for (page, ms) in (0..9).zip((0..).step_by(300)) {
        let nominated = shelf.nominate(&query, PAGE * (page + 1), START.plus_ms(ms));
        seen.extend(nominated.summaries.iter().skip(PAGE * page).map(|s| s.body().view()));
        if page == 4 {
            shelf.commit().unwrap();
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 90, "equals that change their places between two pages come twice or never");
}
