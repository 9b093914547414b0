//! Hostile nodes among real ones: what a search finds and costs before they begin, and after.
//!
//! Who withholds and who crowds are real nodes with the simulator's attacks around their peers; who floods are networks without a home.
//! Over QUIC addresses are told apart, as they are where nodes are not on one machine: each node has a subnet of loopback of its own.
//! Over TCP, where all dial from one address, each key counts for itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use knackmesh_protocol::{
    cell::{Cell, Epoch, Half, Path},
    id::NodeId,
    key::SecretKey,
    limits::{CELL_REPLICAS, STORE_ITEMS_MAX},
    message::Item,
    peer::{Contact, Identity, Input, Output, place_in_table},
    skill::SkillId,
    vocabulary::Vocabulary,
};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::{
    Asked, Idle, Mode, PerDeed, Progress, START_EACH, Settings, Started,
    crowd::{Carrier, Load, carrier},
    failed,
    people::trial,
    stages,
};
use crate::{
    control::Refusal,
    home::Home,
    network::Command,
    node::{Node, Running, now},
    sim::{
        attacks::{Around, Attack},
        streams::{bytes, stream},
    },
};

/// Of so many nodes one withholds.
const WITHHOLDS_ONE_IN: usize = 5;
/// People who do not exist.
const INVENTED: usize = 100_000;
/// Keys by which they are sent, of one subnet where addresses are told apart.
const FLOODERS: usize = 20;
/// Announcements of them a second: more would be dropped by libp2p's own queues.
const ANNOUNCED_PER_SECOND: u64 = 2000;
/// Nodes next to a cell.
const CROWDING: usize = 100;
/// The first subnet of those that crowd; each has one.
const CROWDING_SUBNETS: usize = 10_000;
/// The subnet of those that flood.
const FLOOD_SUBNET: usize = 20_000;

/// Who is hostile, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Hostile {
    /// One in five nodes leaves half of all people out of what it keeps, answers, hands over and forwards.
    Withhold,
    /// A hundred thousand people who do not exist claim one skill, by twenty fresh keys; over QUIC these are of one subnet.
    Flood,
    /// A hundred nodes, over QUIC each of a subnet of its own, whose ids are next to the two halves of one skill's cell; they give nothing.
    Crowd,
}

/// What came of it. Everybody has published once more after the hostile nodes began, and before anything is asked.
#[derive(Clone, Debug, Serialize)]
pub struct Attacked {
    /// Who was hostile.
    pub who: Hostile,
    /// Hostile nodes.
    pub nodes: usize,
    /// People who do not exist that were published.
    pub invented: usize,
    /// Summaries that a node holds more than before they began, on average; of a flood, those that were invented.
    pub taken_in: f64,
    /// Seconds until the hostile nodes were there, or had published all that they invented.
    pub flood_seconds: f64,
    /// People kept by too few nodes afterwards.
    pub under_replicated: usize,
    /// Searches for everybody with the skill that hostile nodes are after, before.
    pub everybody_before: Asked,
    /// What one of them cost.
    pub per_everybody_before: PerDeed,
    /// The same afterwards.
    pub everybody: Asked,
    /// What one of them cost.
    pub per_everybody: PerDeed,
    /// The queries that were asked before, afterwards.
    pub queries: Vec<Asked>,
    /// What one of them cost.
    pub per_query: PerDeed,
}

/// An attack around the peer of one node, once it has begun.
pub struct Turned {
    begun: Arc<AtomicBool>,
    around: Around,
}

impl Turned {
    pub fn instead(&mut self, input: &Input) -> Option<Vec<Output>> {
        let begun = self.begun.load(Ordering::Relaxed);
        begun.then(|| self.around.intercept(now(), input)).flatten()
    }

    pub fn amends(&mut self, outputs: &mut Vec<Output>) {
        if self.begun.load(Ordering::Relaxed) {
            self.around.amend(now(), outputs);
        }
    }
}

impl Started {
    /// The skill that hostile nodes are after: the first that somebody has.
    pub(super) fn sought(&self) -> &SkillId {
        self.people.iter().find_map(|person| person.skills.first()).unwrap_or(&self.skills.crowded)
    }
}

impl Settings {
    /// Whether a node of the network withholds; such a one asks nothing.
    pub fn withholds(&self, number: usize) -> bool {
        self.hostile == Some(Hostile::Withhold) && number % WITHHOLDS_ONE_IN == WITHHOLDS_ONE_IN - 1
    }

    /// The attack around a node of the network.
    pub fn turned(
        &self,
        number: usize,
        home: &Home,
        begun: &Arc<AtomicBool>,
    ) -> Result<Option<Turned>, Refusal> {
        let turned = || turned(Attack::Censor, home, self.mode, begun);
        self.withholds(number).then(turned).transpose()
    }
}

fn turned(attack: Attack, home: &Home, mode: Mode, begun: &Arc<AtomicBool>) -> Result<Turned, Refusal> {
    let keys = home.keys()?;
    let node_id = NodeId::of(&keys.node.public());
    let identity = Identity { root: keys.root, view: keys.view, node: keys.node, node_id };
    let around = Around::new(attack, identity, mode == Mode::Cells);
    Ok(Turned { begun: Arc::clone(begun), around })
}

/// Lets them begin, has everybody publish once more, and asks again what was asked before.
pub async fn measure(
    started: &Started,
    settings: &Settings,
    who: Hostile,
    idle: &Idle,
    vocabulary: &Vocabulary,
    progress: &Progress<'_>,
) -> Result<Attacked, Refusal> {
    let skill = started.sought();
    let (everybody_before, per_everybody_before) =
        stages::ask_everybody(started, settings, idle, false, vocabulary).await?;
    let held = mean_held(started);
    let (mut crowd, mut invented, begun) = (Vec::new(), 0, Instant::now());
    let nodes = match who {
        Hostile::Withhold => {
            started.begun.store(true, Ordering::Relaxed);
            (0..started.people.len()).filter(|number| settings.withholds(*number)).count()
        }
        Hostile::Flood => {
            invented = INVENTED;
            flood(started, settings, skill, vocabulary, progress).await?;
            FLOODERS
        }
        Hostile::Crowd => {
            crowd = gather(started, settings, skill, progress).await?;
            crowd.len()
        }
    };
    let flood_seconds = begun.elapsed().as_secs_f64();
    let taken_in = mean_held(started) - held;
    let under_replicated = stages::publish_again(started, settings, progress).await?;
    let (everybody, per_everybody) = stages::ask_everybody(started, settings, idle, true, vocabulary).await?;
    progress(&format!("{} asked: a recall of {:?}", everybody.question.name(), everybody.recall));
    let (queries, per_query) = stages::ask(started, settings, idle, true, vocabulary, progress).await?;
    for stopped in futures::future::join_all(crowd.into_iter().map(Running::stop)).await {
        stopped?;
    }
    Ok(Attacked {
        who,
        nodes,
        invented,
        taken_in,
        flood_seconds,
        under_replicated,
        everybody_before,
        per_everybody_before,
        everybody,
        per_everybody,
        queries,
        per_query,
    })
}

fn mean_held(started: &Started) -> f64 {
    let held: Vec<usize> = started.held().collect();
    held.iter().sum::<usize>() as f64 / held.len().max(1) as f64
}

/// Publishes people who do not exist, by the way that people of this network take.
async fn flood(
    started: &Started,
    settings: &Settings,
    skill: &SkillId,
    vocabulary: &Vocabulary,
    progress: &Progress<'_>,
) -> Result<(), Refusal> {
    let each = INVENTED / FLOODERS;
    for number in 0..FLOODERS {
        let people = number * each..(number + 1) * each;
        let listen = settings.listen(FLOOD_SUBNET, 1 + number);
        let load = Load { who: "flooder", number, listen, skill, people };
        let mut carrier = carrier(started, settings, vocabulary, load).await?;
        match settings.mode {
            Mode::Full => announce(&mut carrier).await?,
            Mode::Cells => store(&mut carrier, skill).await?,
        }
        carrier.leave().await;
        let held = mean_held(started);
        progress(&format!("{} people invented; a node holds {held:.0}", (number + 1) * each));
    }
    Ok(())
}

/// By gossip, whether it is heard or not.
async fn announce(carrier: &mut Carrier) -> Result<(), Refusal> {
    let begun = Instant::now();
    for (sent, summary) in (0_u64..).zip(std::mem::take(&mut carrier.summaries)) {
        let item = Item::Summary(summary);
        let command = Command::Gossip { topic: item.topic(), bytes: item.encode() };
        carrier.network.send(command).await.map_err(|e| failed(&e))?;
        while carrier.events.try_recv().is_ok() {}
        sleep_until(
            begun
                + Duration::from_micros(1_000_000 / ANNOUNCED_PER_SECOND)
                    * u32::try_from(sent).unwrap_or(u32::MAX),
        )
        .await;
    }
    Ok(())
}

/// By requests to the nodes nearest to both halves of the cell, as fast as they answer, whatever they do.
async fn store(carrier: &mut Carrier, skill: &SkillId) -> Result<(), Refusal> {
    let mut keeping: Vec<(Cell, Vec<Contact>)> = Vec::new();
    for half in Half::BOTH {
        let cell = Cell { skill: skill.clone(), path: Path::ALL, half, epoch: Epoch::of(now()) };
        let nodes = carrier.closest(&cell).await?;
        keeping.push((cell, nodes.into_iter().take(CELL_REPLICAS).collect()));
    }
    let summaries = std::mem::take(&mut carrier.summaries);
    for items in summaries.chunks(STORE_ITEMS_MAX) {
        let items: Vec<Item> = items.iter().cloned().map(Item::Summary).collect();
        let to = keeping.iter().flat_map(|(cell, nodes)| nodes.iter().map(move |node| (node, cell)));
        let requests = to.map(|(node, cell)| (node.node.clone(), cell.clone(), items.clone())).collect();
        carrier.store(requests).await?;
    }
    Ok(())
}

/// Starts nodes next to both halves of the skill's cell, nearer than nodes are to each other.
async fn gather(
    started: &Started,
    settings: &Settings,
    skill: &SkillId,
    progress: &Progress<'_>,
) -> Result<Vec<Running>, Refusal> {
    let begun = Arc::new(AtomicBool::new(true));
    let spacing = u64::MAX / started.people.len() as u64;
    let mut crowd = Vec::new();
    for number in 0..CROWDING {
        let half = Half::BOTH[number % 2];
        let cell = Cell { skill: skill.clone(), path: Path::ALL, half, epoch: Epoch::of(now()) };
        let home = started.home(&format!("crowding-{number}"))?;
        home.init_with_node_key(&near(&cell, spacing / 4, settings.seed, number))?;
        let turned = turned(Attack::Sybil, &home, settings.mode, &begun)?;
        let keys = home.keys()?;
        let (id, view) = (NodeId::of(&keys.node.public()), keys.view.public());
        let place = u32::try_from(started.people.len() + number).unwrap_or(u32::MAX);
        let onlooker = started.watch.onlooker(place, id, view, Some(turned));
        let mut config = settings.config(CROWDING_SUBNETS + number);
        config.bootstrap.clone_from(&started.entrances);
        let next = Instant::now() + START_EACH * place;
        crowd.push(Node::open(&home)?.measured(trial(settings), onlooker).start(&config).await?);
        if crowd.len().is_multiple_of(25) {
            progress(&format!("{} nodes crowd around a cell", crowd.len()));
        }
        sleep_until(next).await;
    }
    Ok(crowd)
}

/// A node's key, tried until its id is this near to a cell.
fn near(cell: &Cell, distance: u64, seed: u64, number: usize) -> SecretKey {
    let leading = |place: [u8; 32]| place.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    let there: u64 = leading(place_in_table(&cell.key().0));
    let mut rng = stream(seed, u32::try_from(number).unwrap_or(u32::MAX), "crowding node");
    loop {
        let key = SecretKey::from_seed(bytes(&mut rng));
        if leading(place_in_table(NodeId::of(&key.public()).as_bytes())) ^ there < distance {
            return key;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use knackmesh_protocol::peer::{GossipId, Group, Verdict};

    use super::*;

    #[test]
    fn a_node_is_honest_until_the_attack_begins() {
        let dir = tempfile::TempDir::new().unwrap();
        let home = Home::find(Some(dir.path().join("home"))).unwrap();
        let key = SecretKey::from_seed([3; 32]);
        home.init_with_node_key(&key).unwrap();
        assert_eq!(home.keys().unwrap().node.public(), key.public());
        let begun = Arc::default();
        let mut turned = turned(Attack::Sybil, &home, Mode::Cells, &begun).unwrap();
        let from = Contact { node: NodeId::of(&key.public()), group: Group::UNGROUPED };
        let message = GossipId(1);
        let input = Input::Gossip { message, from, topic: String::new(), bytes: Vec::new() };
        assert!(turned.instead(&input).is_none());
        begun.store(true, Ordering::Relaxed);
        let instead = turned.instead(&input).unwrap();
        assert!(matches!(*instead, [Output::Verdict(id, Verdict::Ignore)] if id == message));
    }

    #[test]
    fn who_crowds_is_nearer_to_a_cell_than_nodes_are_to_each_other() {
        let skill = "https://example.org/skills/rust".parse().unwrap();
        let cell = Cell { skill, path: Path::ALL, half: Half::BOTH[0], epoch: Epoch::of(now()) };
        let (near, there) = (near(&cell, u64::MAX / 64, 1, 0), place_in_table(&cell.key().0));
        assert_eq!((place_in_table(NodeId::of(&near.public()).as_bytes())[0] ^ there[0]) >> 2, 0);
    }
}
