//! Look-ups in the hash table: the overlay engine, and the network adapter of real nodes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use knackmesh_protocol::{id::NodeId, key::SecretKey};
use knackmesh_simulations::{
    overlay::{End, Latency, Run, Settings},
    streams::{below, bytes, place, stream},
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{failed, measured::Measured};
use crate::{
    control::{Exit, Refusal},
    network::{Command, Effort, Event, Lag, Network, NetworkConfig, Trial},
};

/// Time between the beginnings of two look-ups, long enough that they are not in each other's way.
const EVERY: Duration = Duration::from_millis(40);
/// Time between two dials, so that the handshakes do not queue up.
const BETWEEN_DIALS: Duration = Duration::from_millis(8);
/// How long joining, or a look-up, may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Lets the model do the look-ups.
pub fn model(settings: &Settings, seed: u64) -> Result<Measured, Refusal> {
    let refused = |e: &dyn std::fmt::Display| Refusal::new(Exit::Usage, e.to_string(), "change the setting");
    let mut run = Run::new(settings, seed).map_err(|e| refused(&e))?;
    run.step_until(u64::MAX);
    let outcome = run.outcome();
    let ended = outcome.records.iter().filter(|record| matches!(record.end, End::Found | End::Missed));
    let mut measured = Measured { contacts: outcome.contacts_per_node, ..Measured::default() };
    for record in ended {
        measured.look_up.push(f64::from(record.latency_ms));
        measured.requests.push(f64::from(record.requests));
    }
    Ok(measured)
}

/// A real node's network.
struct Node {
    network: Network,
    events: mpsc::Receiver<Event>,
    id: NodeId,
}

/// Lets real networks do them: everybody is connected with everybody, so that nobody has to be called first.
///
/// # Errors
/// When one fails.
pub async fn networks(settings: &Settings, seed: u64) -> Result<Measured, Refusal> {
    let nodes = start(settings, seed).await?;
    let rng = &mut stream(seed, 0, "look-ups of real networks");
    let count = nodes.len();
    let efforts: Arc<Mutex<Vec<Effort>>> = Arc::default();
    let (mut networks, mut ids, mut readers) = (Vec::new(), Vec::new(), Vec::new());
    for Node { network, mut events, id } in nodes {
        let efforts = Arc::clone(&efforts);
        networks.push(network);
        ids.push(id);
        readers.push(tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::RecordFound { effort, .. } = event {
                    efforts.lock().unwrap_or_else(PoisonError::into_inner).push(effort);
                }
            }
        }));
    }
    for number in 0..settings.look_ups {
        let from = place(rng, count);
        let target = (from + 1 + below(rng, count as u32 - 1) as usize) % count;
        // A record under a node's id has the place in the hash table that the node has, so a look-up for it is one for the node.
        let key = ids[target].as_bytes().to_vec();
        let command = Command::GetRecord { token: u64::from(number), key };
        networks[from].send(command).await.map_err(|e| failed(&e))?;
        sleep(EVERY).await;
    }
    let whole = async {
        while efforts.lock().unwrap_or_else(PoisonError::into_inner).len() < settings.look_ups as usize {
            sleep(EVERY).await;
        }
    };
    timeout(PATIENCE, whole).await.map_err(|e| failed(&e))?;
    let mut contacts = 0;
    for network in &networks {
        contacts += network.snapshot().await.map_err(|e| failed(&e))?.contacts;
    }
    join_all(networks.into_iter().map(Network::shutdown)).await;
    for reader in readers {
        // An error means that it has ended already.
        let _ = reader.await;
    }
    let efforts = efforts.lock().unwrap_or_else(PoisonError::into_inner);
    let mut measured = Measured { contacts: contacts as f64 / count as f64, ..Measured::default() };
    for effort in efforts.iter() {
        measured.look_up.push(effort.elapsed.as_secs_f64() * 1000.0);
        measured.requests.push(f64::from(effort.requests));
    }
    Ok(measured)
}

/// Starts them, each connected with all that started before it.
async fn start(settings: &Settings, seed: u64) -> Result<Vec<Node>, Refusal> {
    let Latency::Uniform { max_ms, .. } = settings.latency else {
        return Err(failed(&"the latencies are not of one length"));
    };
    let mut nodes: Vec<Node> = Vec::new();
    let mut addresses: Vec<String> = Vec::new();
    for number in 0..settings.nodes {
        let key = SecretKey::from_seed(bytes(&mut stream(seed, number, "node key")));
        let lag = Lag::new(move |_| Duration::from_millis(u64::from(max_ms)));
        let (k, alpha) = (count(settings.k)?, count(settings.alpha)?);
        let config = NetworkConfig {
            key_seed: key.seed(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            trial: Trial { lag: Some(lag), k, alpha, ..Trial::default() },
            ..NetworkConfig::default()
        };
        let (network, events) = Network::start(config).await.map_err(|e| failed(&e))?;
        let listen = network.snapshot().await.map_err(|e| failed(&e))?.listen;
        nodes.push(Node { id: NodeId::of(&key.public()), network, events });
        addresses.extend(listen);
    }
    // Each pair is connected once, the dialler by turns, so that nobody has more of its own than it keeps.
    for a in 0..nodes.len() {
        let half = nodes.len() / 2;
        let others = (1..=half).map(|step| (a + step) % nodes.len());
        let twice = |b: &usize| {
            nodes.len().is_multiple_of(2) && (b + nodes.len() - a) % nodes.len() == half && *b < a
        };
        let chosen: Vec<String> = others.filter(|b| !twice(b)).map(|b| addresses[b].clone()).collect();
        for address in chosen {
            let dial = Command::Dial { addresses: vec![address] };
            nodes[a].network.send(dial).await.map_err(|e| failed(&e))?;
            sleep(BETWEEN_DIALS).await;
        }
    }
    let all = nodes.len() - 1;
    let connected = async {
        for node in &nodes {
            loop {
                let snapshot = node.network.snapshot().await.map_err(|e| failed(&e))?;
                if snapshot.peers.len() >= all {
                    break;
                }
                sleep(EVERY).await;
            }
        }
        Ok::<_, Refusal>(())
    };
    timeout(PATIENCE, connected).await.map_err(|_| failed(&"the nodes do not all find each other"))??;
    Ok(nodes)
}

fn count(n: u32) -> Result<std::num::NonZeroUsize, Refusal> {
    std::num::NonZeroUsize::new(n as usize).ok_or_else(|| failed(&"a setting is 0"))
}
