//! Many people with one skill: a few nodes that carry many people each, and publish for them as a node publishes for its one.
//!
//! A home has one pseudonym, so a crowd has no homes. Its carriers are real networks without one: what they send are the signed
//! summaries that homes would send, by gossip, or as requests to the nodes that the hash table names as nearest to the cell.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use knackmesh_protocol::{
    cell::{Cell, Epoch, Half, Path},
    consent::{Consent, Present},
    id::NodeId,
    key::SecretKey,
    limits::{CELL_PARTY_BURST, CELL_REPLICAS, STORE_ITEMS_MAX},
    message::{Item, Placed, Request, Response},
    peer::Contact,
    signed::Signed,
    skill::{Level, SkillId},
    summary::{Content, Reach, Summary, Terms},
    vocabulary::Vocabulary,
};
use serde::Serialize;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{Mode, Progress, Settings, Started, failed, questions};
use crate::{
    control::Refusal,
    network::{Command, Event, Network, NetworkConfig, Reach as NetworkReach},
    node::now,
    sim::streams::{bytes, stream},
};

/// People for whom one carrier announces by gossip.
const CARRIED: usize = 200;
/// People whom one carrier places: as many as a party may place in a cell at once, and on this machine each key is a party.
const PLACED: usize = CELL_PARTY_BURST as usize;
const LEASE_MS: u64 = 24 * 3600 * 1000;
/// How long anything may take that a carrier waits for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Announcements that may be on their way: more would be dropped where a node is late, and come minutes later by comparison.
const UNDER_WAY_MAX: usize = 100;
/// How long the last of the crowd may take to be known.
const KNOWN_MAX: Duration = Duration::from_secs(300);
/// The longest that a search may take.
const DEADLINE_MS: u64 = 120_000;

/// What came of a search for everybody.
#[derive(Clone, Debug, Serialize)]
pub struct Crowd {
    /// People who have the skill.
    pub people: usize,
    /// Nodes that carried them.
    pub carriers: usize,
    /// Time until all of them were published, in seconds.
    pub published_seconds: f64,
    /// For each search that asked for all, from another node each: how many were found.
    pub found: Vec<usize>,
    /// How long each took, in seconds, as the node says.
    pub seconds: Vec<f64>,
    /// Bytes that all nodes received for one search, of the messages themselves, on average.
    pub bytes: f64,
    /// Messages that all nodes received for one search, on average.
    pub messages: f64,
}

/// Whom a carrier carries, and from where.
pub(super) struct Load<'a> {
    /// Of which kind it is; with its number, its key.
    pub(super) who: &'static str,
    pub(super) number: usize,
    pub(super) listen: String,
    /// What all of its people can.
    pub(super) skill: &'a SkillId,
    pub(super) people: Range<usize>,
}

pub(super) struct Carrier {
    pub(super) network: Network,
    pub(super) events: mpsc::Receiver<Event>,
    /// Of its people.
    pub(super) summaries: Vec<Signed<Summary>>,
}

impl Carrier {
    pub(super) async fn leave(self) {
        let Carrier { network, mut events, .. } = self;
        let end = tokio::spawn(async move { while events.recv().await.is_some() {} });
        network.shutdown().await;
        end.abort();
    }
}

/// Publishes for a crowd, then asks some nodes for all of it.
pub async fn measure(
    started: &Started,
    settings: &Settings,
    vocabulary: &Vocabulary,
    progress: &Progress<'_>,
) -> Result<Crowd, Refusal> {
    let skill = &started.skills.crowded;
    let begun = tokio::time::Instant::now();
    let carried = match settings.mode {
        Mode::Full => CARRIED,
        Mode::Cells => PLACED,
    };
    let count = settings.crowd.div_ceil(carried);
    let (mut carriers, mut sent, before) = (Vec::new(), 0, held_by_the_least(started));
    for number in 0..count {
        let first = number * carried;
        let people = first..settings.crowd.min(first + carried);
        let load = Load { who: "carrier", number, listen: settings.listen(number, 1), skill, people };
        let mut carrier = carrier(started, settings, vocabulary, load).await?;
        match settings.mode {
            Mode::Full => announce(started, &mut carrier, before, &mut sent).await?,
            Mode::Cells => {
                place(&mut carrier, skill).await?;
                sent += carrier.summaries.len();
            }
        }
        let summaries = std::mem::take(&mut carrier.summaries);
        summaries.into_iter().for_each(|summary| started.watch.log().publishes(summary));
        progress(&format!("a crowd of {}: {sent} published", settings.crowd));
        match settings.mode {
            // What it announced is still on its way.
            Mode::Full => carriers.push(carrier),
            Mode::Cells => carrier.leave().await,
        }
    }
    if settings.mode == Mode::Full {
        let known = async {
            while held_by_the_least(started) < before + settings.crowd {
                sleep(Duration::from_millis(100)).await;
            }
        };
        // Whoever is not known by then is missed below.
        let _ = timeout(KNOWN_MAX, known).await;
    }
    let published_seconds = begun.elapsed().as_secs_f64();
    for carrier in carriers {
        carrier.leave().await;
    }
    let mut crowd = Crowd {
        people: settings.crowd,
        carriers: count,
        published_seconds,
        found: Vec::new(),
        seconds: Vec::new(),
        bytes: 0.0,
        messages: 0.0,
    };
    let nodes = started.people.len();
    let askers = [1 % nodes, nodes / 2, nodes - 1];
    for asker in askers {
        let before = started.received();
        let text = questions::everybody(skill);
        let answer = questions::asked(
            &started.people[asker],
            &text,
            settings.crowd,
            DEADLINE_MS,
            &started.watch,
            vocabulary,
        );
        let answer = answer.await?;
        let after = started.received();
        crowd.messages += (after.messages - before.messages) as f64 / askers.len() as f64;
        crowd.bytes += (after.bytes - before.bytes) as f64 / askers.len() as f64;
        crowd.found.push(answer.hits);
        crowd.seconds.push(answer.report.elapsed_ms as f64 / 1000.0);
        progress(&format!("asked for all {}: {} found", answer.relevant, answer.hits));
    }
    Ok(crowd)
}

fn held_by_the_least(started: &Started) -> usize {
    let nodes = started.people.iter().filter_map(|person| person.node.as_ref());
    nodes.map(|node| *node.summaries.borrow()).min().unwrap_or_default()
}

/// A network with its people, once it has found others.
pub(super) async fn carrier(
    started: &Started,
    settings: &Settings,
    vocabulary: &Vocabulary,
    Load { who, number, listen, skill, people }: Load<'_>,
) -> Result<Carrier, Refusal> {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let key = SecretKey::from_seed(bytes(&mut stream(settings.seed, number, who)));
    let config = NetworkConfig {
        key_seed: key.seed(),
        listen: vec![listen],
        bootstrap: started.entrances.clone(),
        // It is gone soon: the hash table must not count on it.
        reach: NetworkReach::Never,
        ..NetworkConfig::default()
    };
    let (network, mut events) = Network::start(config).await.map_err(|e| failed(&e))?;
    let joined = async {
        while network.snapshot().await.map_err(|e| failed(&e))?.peers.len() < started.entrances.len().min(4) {
            let _ = timeout(Duration::from_millis(50), events.recv()).await;
        }
        Ok::<_, Refusal>(())
    };
    timeout(PATIENCE, joined).await.map_err(|_| failed(&"a carrier of the crowd finds nobody"))??;
    let mut summaries = Vec::new();
    for one in people {
        let of = format!("one whom a {who} carries");
        let view = SecretKey::from_seed(bytes(&mut stream(settings.seed, one as u32, &of)));
        let node = network.node_id().clone();
        summaries.push(summary(&view, node, skill, vocabulary)?);
    }
    Ok(Carrier { network, events, summaries })
}

fn summary(
    view: &SecretKey,
    node: NodeId,
    skill: &SkillId,
    vocabulary: &Vocabulary,
) -> Result<Signed<Summary>, Refusal> {
    let now = now();
    let bare = [(skill.clone(), Level::MAX)];
    let (content, _) =
        Content::draft(&[], &bare, Terms::default(), vocabulary, view).map_err(|e| failed(&e))?;
    let consent = Consent::give(view.public(), content, Present::Ask, now, LEASE_MS);
    let consent = Signed::sign(consent.map_err(|e| failed(&e))?, view);
    let summary = Summary::new(&consent, now.unix_ms(), Reach::Direct(node), now).map_err(|e| failed(&e))?;
    Ok(Signed::sign(summary, view))
}

/// By gossip, no faster than the slowest node takes it in.
async fn announce(
    started: &Started,
    carrier: &mut Carrier,
    before: usize,
    sent: &mut usize,
) -> Result<(), Refusal> {
    for summary in &carrier.summaries {
        let item = Item::Summary(summary.clone());
        let command = Command::Gossip { topic: item.topic(), bytes: item.encode() };
        carrier.network.send(command).await.map_err(|e| failed(&e))?;
        *sent += 1;
        // What comes in is not ours to answer.
        while carrier.events.try_recv().is_ok() {}
        let caught_up = async {
            while held_by_the_least(started) + UNDER_WAY_MAX < before + *sent {
                let _ = timeout(Duration::from_millis(20), carrier.events.recv()).await;
            }
        };
        let _ = timeout(PATIENCE, caught_up).await;
    }
    Ok(())
}

/// By requests to the nodes nearest to both halves of the cell.
async fn place(carrier: &mut Carrier, skill: &SkillId) -> Result<(), Refusal> {
    for half in Half::BOTH {
        let cell = Cell { skill: skill.clone(), path: Path::ALL, half, epoch: Epoch::of(now()) };
        let nodes = carrier.closest(&cell).await?;
        let mut keeping = 0;
        for contact in nodes {
            if keeping == CELL_REPLICAS {
                break;
            }
            keeping += usize::from(carrier.all_kept(&contact, &cell).await?);
        }
        if keeping < CELL_REPLICAS {
            return Err(failed(&"the crowd finds too few nodes that keep it"));
        }
    }
    Ok(())
}

impl Carrier {
    /// The nodes nearest to a cell, as the network knows them.
    pub(super) async fn closest(&mut self, cell: &Cell) -> Result<Vec<Contact>, Refusal> {
        let closest = Command::Closest { token: 0, key: cell.key().0.to_vec(), network: true };
        self.network.send(closest).await.map_err(|e| failed(&e))?;
        self.until(|event| match event {
            Event::Closest { nodes, .. } => Some(nodes),
            _ => None,
        })
        .await
    }

    /// Has one node keep everybody; false when it does not.
    async fn all_kept(&mut self, contact: &Contact, cell: &Cell) -> Result<bool, Refusal> {
        let items: Vec<Item> = self.summaries.iter().cloned().map(Item::Summary).collect();
        let some = items.chunks(STORE_ITEMS_MAX);
        let requests = some.map(|items| (contact.node.clone(), cell.clone(), items.to_vec())).collect();
        let responses = self.store(requests).await?;
        let is_kept = |response: &Option<Response>| matches!(response, Some(Response::Stored { cells, .. }) if *cells == [Placed::Kept]);
        Ok(responses.iter().all(is_kept))
    }

    /// Asks nodes to keep people in a cell, all at once; what each answered, if it did.
    pub(super) async fn store(
        &mut self,
        requests: Vec<(NodeId, Cell, Vec<Item>)>,
    ) -> Result<Vec<Option<Response>>, Refusal> {
        let mut waiting = BTreeSet::new();
        for (token, (peer, cell, items)) in (1_u64..).zip(requests) {
            let bytes = Request::Store { cells: vec![cell], items }.encode();
            let request = Command::Request { token, peer, addresses: Vec::new(), bytes };
            self.network.send(request).await.map_err(|e| failed(&e))?;
            waiting.insert(token);
        }
        let mut responses = Vec::new();
        while !waiting.is_empty() {
            let (token, result) = self
                .until(|event| match event {
                    Event::Response { token, result } => Some((token, result)),
                    _ => None,
                })
                .await?;
            if waiting.remove(&token) {
                responses.push(result.ok().and_then(|bytes| Response::decode(&bytes).ok()));
            }
        }
        Ok(responses)
    }

    async fn until<T>(&mut self, mut wanted: impl FnMut(Event) -> Option<T>) -> Result<T, Refusal> {
        let found = async {
            while let Some(event) = self.events.recv().await {
                if let Some(found) = wanted(event) {
                    return Some(found);
                }
            }
            None
        };
        let found = timeout(PATIENCE, found).await.ok().flatten();
        found.ok_or_else(|| failed(&"a carrier of the crowd waits in vain"))
    }
}
