//! How the node joins: what its settings say in the network's terms, and whom it met before.

use std::time::Duration;

use knackmesh_protocol::{id::NodeId, time::Timestamp};
use tokio::time::Instant;
use tracing::warn;

use super::{Node, now};
use crate::{
    home::{NetworkSettings, Reachable},
    network::{Contact, Crowding, Reach},
    store::KnownNode,
};

/// The first time after the start that nodes met are remembered: a crash soon after costs nothing then.
pub(super) const REMEMBER_SOON: Duration = Duration::from_secs(30);
/// How often after that.
const REMEMBER_EVERY: Duration = Duration::from_secs(10 * 60);

/// For how long after the start a search waits for somebody to be connected.
const JOINING_MS: u64 = 5000;

/// Until when somebody will be connected, where there is anybody to dial.
pub(super) fn expected(bootstrap: &[String], remembered: &[Contact]) -> Option<Timestamp> {
    let is_anybody = !bootstrap.is_empty() || !remembered.is_empty();
    is_anybody.then(|| now().plus_ms(JOINING_MS))
}

/// The settings in the network's terms.
pub(super) fn reach(reachable: Reachable) -> Reach {
    match reachable {
        Reachable::Tested => Reach::Tested,
        Reachable::Always => Reach::Always,
        Reachable::Never => Reach::Never,
    }
}

/// The settings in the network's terms. Within a local network all come from one group.
pub(super) fn crowding(settings: &NetworkSettings) -> Crowding {
    Crowding {
        per_group: settings.connections_per_group.max(1),
        loopback: settings.count_loopback,
        private: !settings.lan,
    }
}

/// Nodes as the store keeps them.
pub(super) fn contacts(known: Vec<KnownNode>) -> Vec<Contact> {
    let contact = |known: KnownNode| {
        Some(Contact { node: NodeId::from_bytes(known.node)?, addresses: known.addresses })
    };
    known.into_iter().filter_map(contact).collect()
}

impl Node {
    /// Keeps the nodes that the network knows now; without any, those known before.
    pub(super) async fn remember_nodes(&mut self) {
        self.remember_at = Instant::now() + REMEMBER_EVERY;
        let Some(network) = &self.network else { return };
        let Ok(snapshot) = network.snapshot().await else { return };
        let known = snapshot.known.into_iter();
        let known: Vec<_> =
            known.map(|c| KnownNode { node: c.node.as_bytes().to_vec(), addresses: c.addresses }).collect();
        if !known.is_empty()
            && let Err(error) = self.shelf.store.set_nodes(&known)
        {
            warn!(%error, "the nodes met are not remembered");
        }
    }
}
