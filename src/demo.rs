//! The demonstration: the whole job on one machine, from issuing credentials to a verified, ranked answer.
//!
//! Every participant is a real node with keys, home and sockets of its own on loopback; they talk through the network and
//! nothing else. The demonstration knows its cast by name, which the network does not; at its end it compares what the
//! employer was shown with what must have come out, and fails when they differ.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use knackmesh_protocol::{consent::Present, key::Did, skill::Level, summary::Terms};
use serde::Serialize;
use tempfile::TempDir;

use crate::{
    control::{Exit, ImportOrder, IssueOrder, ProfileOrder, QueryOrder, Refusal, Reply, Request, TrustOrder},
    home::{Config, Home},
    node::{Node, Running},
    report::{QueryReport, StatusReport},
    store::{KeptCredential, Store},
};

/// What the employer asks.
pub const QUERY: &str = "rust>=3 AND (kubernetes OR nomad) region:DE tier:issuer -java";

/// How long anything may take to spread.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the credential that expires is valid.
const SHORT_LIFE_MS: u64 = 3_000;

/// What sets a professional apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Publishes, and shows presentations to anyone.
    Open,
    /// Publishes, and decides on each inquiry.
    Asks,
    /// Holds a credential that expires before the query.
    Expires,
    /// Changes a stored credential after publishing.
    Tampers,
    /// Claims skills with nothing behind them.
    Claims,
    /// Publishes, then withdraws.
    Withdraws,
    /// Joins after everything was published.
    JoinsLate,
    /// Holds credentials and never consents.
    NeverConsents,
}

struct Role {
    name: &'static str,
    region: &'static str,
    /// Issuer (an index into [`ISSUERS`]), skill, level.
    skills: &'static [(usize, &'static str, u8)],
    part: Part,
    /// Whether the employer must be shown this person.
    shown: bool,
    /// Why not, in the words of the demonstration.
    because: &'static str,
}

const ISSUERS: [&str; 3] = ["Technical University", "Cloud Guild", "Weekend Academy"];

/// How many of the issuers the employer recognises: all but the last.
const RECOGNISED: usize = 2;

const CAST: [Role; 12] = [
    role("Ada", "DE", &[(0, "rust", 5), (1, "kubernetes", 4)], Part::Open, ""),
    role("Ben", "DE-BE", &[(0, "rust", 4), (1, "nomad", 3)], Part::Open, ""),
    role("Chloe", "DE", &[(2, "rust", 4), (2, "kubernetes", 4)], Part::Open, ""),
    role("Dmitri", "FR", &[(0, "rust", 4), (1, "kubernetes", 4)], Part::Open, "is not in DE"),
    role(
        "Elif",
        "DE",
        &[(0, "rust", 4), (1, "kubernetes", 3), (0, "java", 4)],
        Part::Open,
        "excluded by -java",
    ),
    role("Farid", "DE", &[(0, "rust", 5), (1, "kubernetes", 5)], Part::Expires, "a credential expired"),
    role(
        "Grace",
        "DE",
        &[(0, "rust", 3), (1, "kubernetes", 3)],
        Part::Tampers,
        "changed a credential after publishing",
    ),
    role("Hugo", "DE", &[(0, "rust", 5), (1, "kubernetes", 5)], Part::Claims, "claims, with no credential"),
    role("Ines", "DE", &[(0, "rust", 4), (1, "kubernetes", 4)], Part::Withdraws, "withdrew"),
    role("Jonas", "DE", &[(0, "rust", 3), (1, "kubernetes", 5)], Part::JoinsLate, ""),
    role("Kaya", "DE", &[(0, "rust", 5), (1, "kubernetes", 5)], Part::NeverConsents, "never consented"),
    role("Liam", "DE", &[(0, "rust", 4), (1, "nomad", 4)], Part::Asks, "decides on each inquiry"),
];

const fn role(
    name: &'static str,
    region: &'static str,
    skills: &'static [(usize, &'static str, u8)],
    part: Part,
    because: &'static str,
) -> Role {
    Role { name, region, skills, part, shown: because.is_empty(), because }
}

/// What the demonstration prints with `--json`: the query object, and what follows.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The employer's query and its results.
    #[serde(flatten, serialize_with = "without_withheld")]
    pub query: QueryReport,
    /// Who took part.
    pub network: NetworkRow,
    /// The cast by view or DID, which only the demonstration knows.
    pub names: BTreeMap<String, &'static str>,
    /// Who was not shown, and why.
    #[serde(rename = "withheld")]
    pub not_shown: Vec<NotShown>,
    /// How long each step took, in milliseconds, in order.
    pub timings_ms: serde_json::Map<String, serde_json::Value>,
}

/// The demonstration's own list of who was not shown says more than the query's.
fn without_withheld<S: serde::Serializer>(query: &QueryReport, s: S) -> Result<S::Ok, S::Error> {
    let mut value = serde_json::to_value(query).map_err(serde::ser::Error::custom)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("withheld");
    }
    value.serialize(s)
}

/// Who took part.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NetworkRow {
    /// All nodes.
    pub nodes: usize,
    /// Professionals.
    pub professionals: usize,
    /// Issuers.
    pub issuers: usize,
}

/// Somebody who was not shown.
#[derive(Clone, Debug, Serialize)]
pub struct NotShown {
    /// Who, in the demonstration.
    pub name: &'static str,
    /// The view's pseudonym.
    pub view: String,
    /// What the demonstration arranged.
    pub because: &'static str,
    /// What the employer's node found, where the network showed it anything.
    pub found: Option<String>,
}

struct Actor {
    name: String,
    home: Home,
    node: Running,
    did: Did,
    view: String,
}

impl Actor {
    async fn start(dir: &Path, name: &str, bootstrap: &[String]) -> Result<Self, Refusal> {
        let home = Home::find(Some(dir.join(name.to_lowercase().replace(' ', "-"))))?;
        home.init()?;
        let listen = ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"].map(str::to_owned).to_vec();
        let config = Config { listen, bootstrap: bootstrap.to_vec(), ..Config::default() };
        let keys = home.keys()?;
        let node = Node::open(&home)?.start(&config).await?;
        Ok(Actor {
            name: name.to_owned(),
            home,
            node,
            did: keys.root.did(),
            view: keys.view.did().to_string(),
        })
    }

    async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        self.node
            .handle
            .ask(request)
            .await
            .map_err(|e| Refusal { message: format!("{}: {}", self.name, e.message), ..e })
    }

    async fn status(&self) -> Result<StatusReport, Refusal> {
        match self.ask(Request::Status).await? {
            Reply::Status(status) => Ok(*status),
            _ => Err(broken(&self.name, "answered another question")),
        }
    }

    /// Waits until the own index holds `count` summaries.
    async fn knows(&self, count: usize) -> Result<(), Refusal> {
        let until = Instant::now() + PATIENCE;
        loop {
            let held = self.status().await?.index.summaries;
            if held == count {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(broken(&self.name, &format!("holds {held} summaries, not {count}")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Runs the demonstration; `say` is told of each step as it is done.
///
/// # Errors
/// When a node fails, or the outcome is not what it must be.
pub async fn run(say: impl Fn(&str)) -> Result<Report, Refusal> {
    let dir = TempDir::with_prefix("knack-demo-").map_err(|e| {
        Refusal::new(Exit::Failed, format!("no temporary folder: {e}"), "free some disk space")
    })?;
    let mut steps = Steps::new(&say);

    let issuers = start_all(dir.path(), &ISSUERS, &[]).await?;
    let bootstrap = issuers[0].node.listen.clone();
    let early: Vec<&str> = CAST.iter().filter(|r| r.part != Part::JoinsLate).map(|r| r.name).collect();
    let mut professionals = start_all(dir.path(), &early, &bootstrap).await?;
    let employer = Actor::start(dir.path(), "Employer", &bootstrap).await?;
    steps.done("start", &format!("{} nodes run, each with its own keys, home and sockets", early.len() + 4));

    for (issuer, name) in issuers.iter().zip(ISSUERS).take(RECOGNISED) {
        let (issuer, name) = (issuer.did.clone(), Some(name.to_owned()));
        let order = TrustOrder::Add { issuer, name, distrusted: false, skills: Vec::new() };
        employer.ask(Request::Trust(order)).await?;
    }
    let mut issued = 0;
    for actor in &professionals {
        issued += equip(actor, part(&actor.name)?, &issuers).await?;
    }
    steps.done("issue", &format!("{issued} credentials issued, verified by their holders' nodes and kept"));

    let publishers = || professionals.iter().filter(|a| publishes(&a.name));
    for actor in publishers() {
        publish(actor, part(&actor.name)?).await?;
    }
    let published = publishers().count();
    employer.knows(published).await?;
    steps.done(
        "publish",
        &format!("{published} holders consented and published; the employer's node knows them all"),
    );

    let ines = professionals.iter().find(|a| part(&a.name).is_ok_and(|r| r.part == Part::Withdraws));
    let ines = ines.ok_or_else(|| broken("the cast", "has nobody who withdraws"))?;
    let (asked, acknowledged) = match ines.ask(Request::Withdraw).await? {
        Reply::Withdrawn { asked, acknowledged, .. } => (asked, acknowledged),
        _ => return Err(broken(&ines.name, "answered another question")),
    };
    employer.knows(published - 1).await?;
    steps.done(
        "withdraw",
        &format!("Ines withdrew; {acknowledged} of {asked} nodes signed that they deleted her record"),
    );

    let late = Actor::start(dir.path(), "Jonas", &bootstrap).await?;
    late.knows(published - 1).await?;
    equip(&late, part("Jonas")?, &issuers).await?;
    publish(&late, part("Jonas")?).await?;
    employer.knows(published).await?;
    professionals.push(late);
    steps.done("late", "Jonas joined last, found everybody who had published before, and was found himself");

    let at = professionals.iter().position(|a| part(&a.name).is_ok_and(|r| r.part == Part::Tampers));
    let grace = professionals.remove(at.ok_or_else(|| broken("the cast", "has nobody who tampers"))?);
    professionals.push(tamper(grace, &bootstrap).await?);
    tokio::time::sleep(Duration::from_millis(SHORT_LIFE_MS)).await;
    steps.done("wait", "Grace changed a stored credential; Farid's credential expired");

    let order = QueryOrder {
        query: QUERY.to_owned(),
        top: 10,
        deadline_ms: 5_000,
        purpose: "demonstration of a recruitment query".to_owned(),
        retention_days: 1,
        contact: "demo@example.org".to_owned(),
        fetch: false,
    };
    let Reply::Found(query) = employer.ask(Request::Query(order)).await? else {
        return Err(broken("Employer", "answered another question"));
    };
    steps.done("query", &format!("the employer asked: {QUERY}"));

    let report = conclude(*query, &professionals, steps.timings)?;
    let everybody = issuers.into_iter().chain(professionals).chain([employer]);
    try_join_all(everybody.map(|actor| actor.node.stop())).await?;
    Ok(report)
}

async fn start_all(dir: &Path, names: &[&str], bootstrap: &[String]) -> Result<Vec<Actor>, Refusal> {
    let Some((first, rest)) = names.split_first() else { return Ok(Vec::new()) };
    let first = Actor::start(dir, first, bootstrap).await?;
    let known = if bootstrap.is_empty() { first.node.listen.clone() } else { bootstrap.to_vec() };
    let rest = try_join_all(rest.iter().map(|name| Actor::start(dir, name, &known))).await?;
    Ok(std::iter::once(first).chain(rest).collect())
}

fn part(name: &str) -> Result<&'static Role, Refusal> {
    CAST.iter().find(|r| r.name == name).ok_or_else(|| broken(name, "is not in the cast"))
}

fn publishes(name: &str) -> bool {
    part(name).is_ok_and(|r| r.part != Part::NeverConsents)
}

/// Gives a professional terms and credentials, or mere claims; returns how many credentials.
async fn equip(actor: &Actor, role: &Role, issuers: &[Actor]) -> Result<usize, Refusal> {
    let region = role.region.parse().map_err(|_| broken(role.name, "lives nowhere"))?;
    let terms = Terms { region: Some(region), ..Terms::default() };
    let level = |n: u8| Level::try_from(n).map_err(|e| broken(role.name, &e.to_string()));
    let mut claim = Vec::new();
    let mut issued = 0;
    for (issuer, skill, n) in role.skills {
        if role.part == Part::Claims {
            claim.push(((*skill).to_owned(), level(*n)?));
            continue;
        }
        let order = IssueOrder {
            issuer_name: Some(ISSUERS[*issuer].to_owned()),
            valid_for_ms: Some(if role.part == Part::Expires { SHORT_LIFE_MS } else { 365 * 86_400_000 }),
            ..IssueOrder::new(actor.did.clone(), vec![(*skill).to_owned()], level(*n)?)
        };
        let Reply::Issued(text) = issuers[*issuer].ask(Request::Issue(Box::new(order))).await? else {
            return Err(broken(ISSUERS[*issuer], "answered another question"));
        };
        actor.ask(Request::Import(ImportOrder { name: format!("{skill}.json"), text, email: None })).await?;
        issued += 1;
    }
    let profile = ProfileOrder { terms: Some(terms), claim, drop: Vec::new() };
    actor.ask(Request::Profile(profile)).await?;
    // What is valid for seconds is published before it ends.
    if role.part == Part::Expires {
        publish(actor, role).await?;
    }
    Ok(issued)
}

async fn publish(actor: &Actor, role: &Role) -> Result<(), Refusal> {
    let present = if role.part == Part::Asks { Present::Ask } else { Present::Anyone };
    if actor.status().await?.published_until.is_some() {
        return Ok(());
    }
    actor.ask(Request::Publish { lease_ms: 3_600_000, present, proofs: Default::default() }).await.map(drop)
}

/// Stops the node, raises the level in each stored credential, and starts the node again: what a dishonest holder could do.
async fn tamper(actor: Actor, bootstrap: &[String]) -> Result<Actor, Refusal> {
    let Actor { name, home, node, .. } = actor;
    node.stop().await?;
    let store = Store::open(&home.store())?;
    for (id, kept) in store.credentials()? {
        let text = raise(&kept.text).ok_or_else(|| broken(&name, "holds a credential without a level"))?;
        store.put_credential(&id, &KeptCredential { text, ..kept })?;
    }
    store.flush()?;
    drop(store);
    let dir = home.dir().parent().ok_or_else(|| broken(&name, "has no home"))?;
    Actor::start(dir, &name, bootstrap).await
}

/// The credential with its achieved level set to the highest of its rubric.
fn raise(text: &str) -> Option<String> {
    let mut credential: serde_json::Value = serde_json::from_str(text).ok()?;
    let subject = credential.get_mut("credentialSubject")?;
    let best = subject.pointer("/achievement/resultDescription/0/rubricCriterionLevel/4/id")?.clone();
    *subject.pointer_mut("/result/0/achievedLevel")? = best;
    Some(credential.to_string())
}

/// Compares what came out with what had to.
fn conclude(
    query: QueryReport,
    professionals: &[Actor],
    timings_ms: serde_json::Map<String, serde_json::Value>,
) -> Result<Report, Refusal> {
    let mut names = BTreeMap::new();
    let mut not_shown = Vec::new();
    for actor in professionals {
        let role = part(&actor.name)?;
        let row = query.results.iter().find(|r| r.view == actor.view);
        match (role.shown, row) {
            (true, Some(row)) if row.verified && row.holder == actor.did.as_str() => {}
            (true, Some(row)) => {
                return Err(broken(role.name, &format!("was not verified: {}", row.presentation)));
            }
            (true, None) => return Err(broken(role.name, "was not found")),
            (false, Some(_)) => return Err(broken(role.name, "was shown, and must not be")),
            (false, None) => {
                let found = query.withheld.iter().find(|w| w.view == actor.view).map(|w| w.reason.clone());
                let view = actor.view.clone();
                not_shown.push(NotShown { name: role.name, view, because: role.because, found });
            }
        }
        names.insert(actor.view.clone(), role.name);
        names.insert(actor.did.to_string(), role.name);
    }
    if query.results.iter().filter(|r| !r.recognised).count() != 1 {
        return Err(broken("Chloe", "alone must be verified and not recognised"));
    }
    let network = NetworkRow {
        nodes: professionals.len() + ISSUERS.len() + 1,
        professionals: CAST.len(),
        issuers: ISSUERS.len(),
    };
    Ok(Report { query, network, names, not_shown, timings_ms })
}

/// The demonstration did not come out as it must.
fn broken(who: &str, what: &str) -> Refusal {
    Refusal::new(
        Exit::Failed,
        format!("the demonstration failed: {who} {what}"),
        "run it again with RUST_LOG=knackmesh=debug and report what it prints",
    )
}

struct Steps<'a, F> {
    say: &'a F,
    since: Instant,
    timings: serde_json::Map<String, serde_json::Value>,
}

impl<'a, F: Fn(&str)> Steps<'a, F> {
    fn new(say: &'a F) -> Self {
        Steps { say, since: Instant::now(), timings: serde_json::Map::new() }
    }

    fn done(&mut self, name: &str, line: &str) {
        let ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.timings.insert(name.to_owned(), ms.into());
        (self.say)(&format!("{line} ({ms} ms)"));
        self.since = Instant::now();
    }
}
