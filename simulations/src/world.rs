//! The world: nodes, a clock that jumps from event to event, commands, and the checks that watch.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use knackmesh_protocol::{
    credential::TrustList,
    id::NodeId,
    inquiry::Undertaking,
    key::PublicKey,
    message::{Replica, Request},
    peer::{Change, Command, CommandId, Input, Outcome, Output, Reply, Specification, Verdict},
    query::{Query, parse},
    ranking,
    summary::Summary,
    time::Timestamp,
};

use crate::{
    attacks::{ACT_EVERY_MS, Attack, sybil},
    checks::{self, Check, Scene, Violation, agreement},
    index::Store,
    ledger::{Ledger, Said, Truth},
    messages::{Memo, Read},
    network::{Network, Seen},
    node::{Node, reads_announcements},
    population::Population,
    queue::{Event, Queue},
    scenario::Scenario,
    trace::Trace,
    traffic::Kind,
};

pub use crate::scenario::START;

/// Time between the starts of two nodes, in milliseconds.
const START_EVERY_MS: u64 = 20;
/// Time between two looks at nodes to which nothing happened, in milliseconds.
const INTERVAL_MS: u64 = 5000;

/// See the module.
pub struct World {
    /// What the run is made of.
    pub scenario: Scenario,
    pub(crate) now: Timestamp,
    pub(crate) nodes: Vec<Node>,
    pub(crate) queue: Queue,
    pub(crate) network: Network,
    pub(crate) memo: Rc<Memo>,
    /// Whether the victim takes attackers for the whole network.
    pub(crate) is_eclipsed: bool,
    pub(crate) departures: u64,
    pub(crate) steps: u64,
    population: Population,
    /// Nodes by how the keys in their ids begin, which no two share: looked up for each request, and quicker to compare than a key.
    numbers: BTreeMap<u64, u32>,
    ledger: Ledger,
    checks: Vec<Box<dyn Check>>,
    trace: Trace,
    looked: Timestamp,
    commands: u64,
    replies: BTreeMap<CommandId, Reply>,
}

impl World {
    /// A world in which no time has passed. Nodes start one after the other, except those that are late.
    pub fn new(scenario: Scenario) -> Self {
        let population = Population::new(&scenario);
        let start = scenario.start;
        let memo = Rc::new(Memo::default());
        let in_cells = scenario.keeping.replica == Some(Replica::Cells);
        let sybils: Vec<u32> = scenario.attackers(Attack::Sybil).take_while(|_| in_cells).collect();
        let node = |number| {
            let mut person = population.person(&scenario, number, start);
            if let Ok(n) = sybils.binary_search(&number) {
                let node = sybil::node_key(&population, &scenario, n, number);
                (person.identity.node_id, person.identity.node) = (NodeId::of(&node.public()), node);
            }
            Node::new(
                &scenario,
                number,
                person,
                Store::new(population.vocabulary.clone(), start).reading(memo.clone()),
            )
        };
        let number_of_nodes = scenario.nodes();
        let nodes: Vec<Node> = (0..number_of_nodes).map(node).collect();
        let numbers: BTreeMap<u64, u32> =
            nodes.iter().filter_map(|node| Some((beginning(node.id())?, node.number))).collect();
        assert_eq!(numbers.len(), nodes.len(), "two ids begin alike: try another seed");
        let relays = nodes.iter().filter(|node| !node.site.behind_nat).map(|node| node.number).collect();
        let is_eclipsed = scenario.attackers(Attack::Eclipse).next().is_some();
        let mut world = World {
            scenario,
            now: start,
            nodes,
            queue: Queue::default(),
            network: Network::new(number_of_nodes, relays),
            memo,
            is_eclipsed,
            departures: 0,
            steps: 0,
            population,
            numbers,
            ledger: Ledger::default(),
            checks: checks::all(),
            trace: Trace::default(),
            looked: start,
            commands: 0,
            replies: BTreeMap::new(),
        };
        world.expect_everybody(START_EVERY_MS);
        world
    }

    /// Milliseconds since it began.
    pub fn elapsed_ms(&self) -> u64 {
        self.now.since_ms(self.scenario.start)
    }

    /// The moment at which it will be so many milliseconds old.
    pub fn at(&self, ms: u64) -> Timestamp {
        self.scenario.start.plus_ms(ms)
    }

    /// Lets `ms` milliseconds pass.
    ///
    /// # Errors
    /// The first promise that is broken ends the run.
    pub fn run_for(&mut self, ms: u64) -> Result<(), Violation> {
        self.run_until(self.now.plus_ms(ms))
    }

    /// Lets time pass until `until`.
    ///
    /// # Errors
    /// The first promise that is broken ends the run.
    pub fn run_until(&mut self, until: Timestamp) -> Result<(), Violation> {
        while let Some((at, event)) = self.queue.pop(until) {
            if at.since_ms(self.looked) >= INTERVAL_MS {
                self.looked = at;
                self.now = at;
                self.look()?;
            }
            self.now = at;
            self.steps += 1;
            self.happen(event)?;
        }
        self.now = until;
        Ok(())
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// One hash over everything that has happened.
    pub fn trace_hash(&self) -> [u8; 32] {
        self.trace.hash()
    }

    /// How many inputs have been handled.
    pub fn events(&self) -> u64 {
        self.trace.events()
    }

    /// Who is published now, by view: the node, and when it ends.
    pub fn published(&self) -> impl Iterator<Item = (u32, PublicKey, Timestamp)> {
        self.ledger.alive(self.now).map(|truth| (truth.node, truth.summary.body().view(), truth.expires()))
    }

    /// The last publication of everybody who has ever made one, whether it has ended or not.
    pub fn ever_published(&self) -> impl Iterator<Item = &Truth> {
        self.ledger.latest()
    }

    /// A node.
    pub fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    /// Skills in use, commonest first.
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// Has a node's person publish for `lease_ms` milliseconds.
    ///
    /// # Panics
    /// When the person has nothing to publish.
    pub fn publish(&mut self, node: u32, lease_ms: u64) -> CommandId {
        let person = &self.nodes[node as usize].person;
        let Some((content, openings)) = person.content.clone() else {
            panic!("node {node} has nothing to publish")
        };
        let present = person.present;
        self.command(node, Command::Publish { content, openings, present, lease_ms })
    }

    /// Has every professional publish.
    pub fn publish_all(&mut self, lease_ms: u64) {
        for node in self.scenario.professionals() {
            self.publish(node, lease_ms);
        }
    }

    /// Has a node's person withdraw.
    pub fn withdraw(&mut self, node: u32) -> CommandId {
        self.command(node, Command::Withdraw)
    }

    /// Has a node's person search for at most 100 candidates within five seconds.
    pub fn search(&mut self, node: u32, query: &Query, purpose: &str) -> CommandId {
        self.search_with(node, query, purpose, 100)
    }

    /// The same for the `top` best.
    pub fn search_for(&mut self, node: u32, query: &Query, top: usize) -> CommandId {
        self.search_with(node, query, "a search", top)
    }

    fn search_with(&mut self, node: u32, query: &Query, purpose: &str, top: usize) -> CommandId {
        let undertaking = Undertaking {
            purpose: purpose.to_owned(),
            retention_days: 30,
            contact: "privacy@example.org".into(),
        };
        let specification = Specification { query: query.clone(), top, deadline_ms: 5000, undertaking };
        self.command(node, Command::Search(specification))
    }

    /// Gives a command, which is handled as soon as time passes.
    pub fn command(&mut self, node: u32, command: Command) -> CommandId {
        let id = CommandId(self.commands);
        self.commands += 1;
        self.queue.push(self.now, Event::Command(node, id, Box::new(command)));
        id
    }

    /// The answer to a command, once there is one; it is not kept any longer.
    pub fn take_reply(&mut self, id: CommandId) -> Option<Reply> {
        self.replies.remove(&id)
    }

    /// The answer to a command, once there is one.
    pub fn reply(&self, id: CommandId) -> Option<&Reply> {
        self.replies.get(&id)
    }

    /// Searches and lets time pass until the answer is there.
    ///
    /// # Errors
    /// The first promise that is broken ends the run.
    ///
    /// # Panics
    /// When the peer does not answer: there is no reason that it could give.
    pub fn found(&mut self, node: u32, query: &Query, purpose: &str) -> Result<Outcome, Violation> {
        let id = self.search(node, query, purpose);
        self.run_for(6000)?;
        match self.reply(id) {
            Some(Reply::Found(Ok(outcome))) => Ok(Outcome::clone(outcome)),
            other => panic!("node {node} answers {other:?}"),
        }
    }

    /// A query in the words of the command line, over this world's vocabulary.
    ///
    /// # Panics
    /// When it is none.
    pub fn query(&self, text: &str) -> Query {
        match parse(text, &self.population.vocabulary, self.now) {
            Ok(parsed) => parsed.query,
            Err(error) => panic!("{text}: {error}"),
        }
    }

    /// The views that an all-seeing index would find: all that are published now and match as stated.
    pub fn all_seeing(&self, query: &Query) -> BTreeSet<PublicKey> {
        let trust = TrustList::default();
        let vocabulary = &self.population.vocabulary;
        let matches = |summary: &&Summary| {
            ranking::matches(query, summary, &ranking::stated(summary, &trust), vocabulary)
        };
        match query.covering_skills(|skill| vocabulary.idf(skill)) {
            // Every match claims one of these.
            Some(skills) => {
                let claiming = self.ledger.claiming(self.now, &skills).map(|truth| truth.summary.body());
                claiming.filter(matches).map(Summary::view).collect()
            }
            None => {
                let alive = self.ledger.alive(self.now).map(|truth| truth.summary.body());
                alive.filter(matches).map(Summary::view).collect()
            }
        }
    }

    /// At rest: whether connected nodes hold the same.
    ///
    /// # Errors
    /// When they do not.
    pub fn agreed(&self) -> Result<(), Violation> {
        agreement::check(&self.scene()).map_err(|detail| self.violation("agreement", detail))
    }

    /// Starts a node, from what it had stored if it ran before.
    pub fn start(&mut self, node: u32) {
        self.queue.push(self.now, Event::Start(node));
    }

    /// Stops a node as a crash would, which its neighbours see in the same instant: only what was made durable is left.
    ///
    /// # Errors
    /// The first promise that is broken by those who see it go.
    pub fn stop(&mut self, node: u32) -> Result<(), Violation> {
        self.go(node, Seen::AtOnce)
    }

    /// Stops a node that says goodbye: its neighbours see it go as soon as that arrives.
    ///
    /// # Errors
    /// None by itself; those who see it go do so later.
    pub fn leave(&mut self, node: u32) -> Result<(), Violation> {
        self.go(node, Seen::Goodbye)
    }

    /// Stops a node as a crash would: its neighbours notice after ten seconds of silence.
    ///
    /// # Errors
    /// None by itself; those who see it go do so later.
    pub fn crash(&mut self, node: u32) -> Result<(), Violation> {
        self.go(node, Seen::Silence)
    }

    pub(crate) fn number(&self, id: &NodeId) -> Option<u32> {
        let number = *self.numbers.get(&beginning(id)?)?;
        (self.nodes[number as usize].id() == id).then_some(number)
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Start(node) => self.begin(node),
            Event::Arrive(node) => self.arrive(node),
            Event::Depart(node) => self.depart(node),
            Event::Stop { node, crash } => self.go(node, if crash { Seen::Silence } else { Seen::Goodbye }),
            Event::Gone { at, node } => self.gone(at, node),
            Event::Link(a, b) => self.link(a, b),
            Event::Dial(node) => {
                self.dial(node);
                Ok(())
            }
            Event::Answered(node, other) => {
                self.answered(node, other);
                Ok(())
            }
            Event::DialFailed(node, other) => {
                self.dial_failed(node, other);
                Ok(())
            }
            Event::Command(node, id, command) => self.feed(node, Input::Command(id, *command)),
            Event::Gossip { to, from, message } => self.gossip_arrives(to, from, message),
            Event::Control { to, from, control } => {
                self.control_arrives(to, from, control);
                Ok(())
            }
            Event::Heartbeat(node) => {
                self.heartbeat(node);
                Ok(())
            }
            Event::Request { exchange, bytes, read } => self.request_arrives(exchange, bytes, read),
            Event::Response { exchange, result, read } => self.response_arrives(exchange, result, read),
            Event::Record { to, key, value } => {
                self.feed(to, Input::RecordOffered { key: key.to_vec(), value: value.to_vec() })
            }
            Event::Closest { node, look_up, nodes, place } => {
                self.feed(node, Input::Closest { look_up, nodes, place })
            }
            Event::Wake(node) if self.nodes[node as usize].wake == Some(self.now) => {
                self.nodes[node as usize].wake = None;
                self.feed(node, Input::Wake)
            }
            Event::Wake(_) => Ok(()),
            Event::Act(node) => {
                let neighbours = self.neighbours(node);
                let outputs = self.nodes[node as usize].act(self.now, &neighbours);
                if self.nodes[node as usize].peer.is_some() {
                    self.queue.push(self.now.plus_ms(ACT_EVERY_MS), Event::Act(node));
                }
                for output in outputs {
                    self.note(node, &output);
                    self.carry_out(node, output, None);
                }
                Ok(())
            }
        }
    }

    pub(crate) fn begin(&mut self, number: u32) -> Result<(), Violation> {
        let (seed, now) = (self.scenario.seed, self.now);
        let node = &mut self.nodes[number as usize];
        if node.peer.is_some() {
            return Ok(());
        }
        node.start(seed, now);
        if !node.is_honest() {
            self.queue.push(now.plus_ms(ACT_EVERY_MS), Event::Act(number));
        }
        self.enter_network(number);
        self.feed(number, Input::Wake)
    }

    /// Hands an input to a node, carries out what it wants, and has the checks look.
    pub(crate) fn feed(&mut self, number: u32, input: Input) -> Result<(), Violation> {
        let now = self.now;
        if self.nodes[number as usize].peer.is_none() {
            return Ok(());
        }
        self.trace.input(now, number, &input, &self.memo);
        let honest = self.nodes[number as usize].is_honest();
        if honest {
            self.ask_checks(|check, scene| {
                check.before(scene, &scene.nodes[number as usize], &input);
                Ok(())
            })?;
        }
        let neighbours = if honest { Vec::new() } else { self.neighbours(number) };
        let outputs =
            self.nodes[number as usize].handle(now, input, &neighbours, &self.population.vocabulary);
        for output in outputs {
            self.trace.output(&output);
            self.note(number, &output);
            let mut read = None;
            if honest {
                let said = Said::of(&output, &self.memo);
                self.ask_checks(|check, scene| {
                    check.output(scene, &scene.nodes[number as usize], &output, &said)
                })?;
                read = said.read();
            }
            self.carry_out(number, output, read);
        }
        if honest {
            self.ask_checks(|check, scene| check.after(scene, &scene.nodes[number as usize]))?;
        }
        self.set_timer(number);
        Ok(())
    }

    /// The truth about a publication is known before anybody speaks of it.
    fn note(&mut self, number: u32, output: &Output) {
        if !self.nodes[number as usize].is_honest() {
            match output {
                Output::Gossip { bytes, .. } => {
                    self.memo.read(bytes).iter().for_each(|item| self.ledger.note_invented(number, item));
                }
                Output::Send { bytes, .. } if Kind::of_request(bytes) == Kind::Placement => {
                    let known = |bytes: &[u8]| self.memo.read(bytes);
                    if let Ok(Request::Store { items, .. }) = Request::decode_knowing(bytes, known) {
                        items.iter().for_each(|item| self.ledger.note_invented(number, item));
                    }
                }
                _ => {}
            }
        }
        if let Output::Persist(change @ Change::Publication { .. }) = output {
            let view = self.nodes[number as usize].person.identity.view.public();
            self.ledger.note(number, view, change);
        }
    }

    /// `read` is what the output says to another peer, where that was decoded.
    fn carry_out(&mut self, number: u32, output: Output, read: Option<Read>) {
        let node = &mut self.nodes[number as usize];
        match output {
            Output::Persist(change) => node.store.apply(change),
            Output::Reply(id, reply) => {
                self.replies.insert(id, reply);
            }
            Output::Gossip { topic, bytes } => self.publish_by_gossip(number, topic, bytes),
            Output::Verdict(id, verdict) => {
                if let Some((_, from, message)) = node.validating.take_if(|(under, ..)| *under == id)
                    && verdict == Verdict::Accept
                {
                    self.forward(number, from, message);
                }
            }
            Output::Send { request, to, bytes } => self.send(number, request, &to, bytes, read),
            Output::Respond { channel, bytes } => self.respond(number, channel, bytes, read),
            Output::Closest { look_up, key, reach } => self.look_up(number, look_up, &key, reach),
            Output::Subscribe { .. } => {
                node.site.reads_announcements = node.peer.as_ref().is_some_and(reads_announcements);
            }
            Output::PutRecord { key, value, .. } => self.put_record(number, key, value),
            Output::KeepRecord { key, expires, .. } => self.network.keep_record(number, &key, expires),
            // There is no web in this world: issuers state their keys in their DIDs, and offer no status.
            Output::Obtain { .. } => {}
        }
    }

    fn set_timer(&mut self, number: u32) {
        let now = self.now;
        let node = &mut self.nodes[number as usize];
        let Some(at) = node.peer.as_ref().and_then(|peer| peer.wake_at()) else { return };
        // A peer that asks for the past is stopped by a check if it is honest, and does not stop the clock otherwise.
        let at = at.max(now.plus_ms(1));
        if node.wake.is_none_or(|set| at < set || set <= now) {
            node.wake = Some(at);
            self.queue.push(at, Event::Wake(number));
        }
    }

    fn neighbours(&self, number: u32) -> Vec<NodeId> {
        self.nodes[number as usize].links.iter().map(|n| self.nodes[*n as usize].id().clone()).collect()
    }

    pub(crate) fn scene(&self) -> Scene<'_> {
        let vocabulary = &self.population.vocabulary;
        Scene { now: self.now, ledger: &self.ledger, nodes: &self.nodes, vocabulary }
    }

    fn ask_checks(
        &mut self,
        ask: impl Fn(&mut Box<dyn Check>, &Scene<'_>) -> Result<(), String>,
    ) -> Result<(), Violation> {
        let mut checks = std::mem::take(&mut self.checks);
        let scene = self.scene();
        let broken = checks.iter_mut().find_map(|check| Some((check.name(), ask(check, &scene).err()?)));
        self.checks = checks;
        broken.map_or(Ok(()), |(check, detail)| Err(self.violation(check, detail)))
    }

    fn look(&mut self) -> Result<(), Violation> {
        self.memo.sweep(self.now);
        self.network.sightings.sweep(self.now);
        self.ask_checks(|check, scene| check.interval(scene))
    }

    fn violation(&self, check: &'static str, detail: String) -> Violation {
        Violation { seed: self.scenario.seed, at_ms: self.elapsed_ms(), check, detail }
    }
}

/// The first eight bytes of the key in an id.
fn beginning(id: &NodeId) -> Option<u64> {
    Some(u64::from_be_bytes(*id.as_bytes().last_chunk::<32>()?.first_chunk()?))
}
