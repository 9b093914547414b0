//! What the node says of itself to its owner: how it stands in the network, and what is counted.

use std::fmt::Write;

use super::{
    Node,
    service::{Answer, Wait},
};
use crate::{
    control::Reply,
    network::{self, Snapshot},
    report::{BootstrapRow, ConditionReport, ConnectionsRow, NetworkReport, PeerRow, ReachabilityRow},
};

/// The end of a text in the OpenMetrics format.
const END: &str = "# EOF\n";

impl Node {
    /// Connected nodes.
    pub(super) async fn peers(&self) -> Answer {
        let peers = self.looked_at().await.map(|snapshot| snapshot.peers).unwrap_or_default();
        Ok(Reply::Peers(peers.into_iter().map(peer_row).collect()))
    }

    /// How the home is.
    pub(super) async fn condition(&self) -> Answer {
        let snapshot = self.looked_at().await;
        Ok(Reply::Condition(Box::new(self.condition_of(snapshot))))
    }

    /// What is counted, as OpenMetrics text. Nothing in it names a person, a peer or a query.
    pub(super) async fn metrics(&self) -> Answer {
        let snapshot = self.looked_at().await;
        let counted = snapshot.as_ref().map(|s| s.counters.clone()).unwrap_or_default();
        let running = self.waiting.values().filter(|wait| matches!(wait, Wait::Query { .. })).count();
        let own = metrics_of(&self.condition_of(snapshot), running);
        let mut text = counted.strip_suffix(END).unwrap_or(&counted).to_owned();
        text.push_str(&own);
        text.push_str(END);
        Ok(Reply::Metrics(text))
    }

    async fn looked_at(&self) -> Option<Snapshot> {
        match &self.network {
            Some(network) => network.snapshot().await.ok(),
            None => None,
        }
    }

    fn condition_of(&self, snapshot: Option<Snapshot>) -> ConditionReport {
        ConditionReport {
            running: self.network.is_some(),
            summaries: self.peer.summaries(),
            uncommitted: self.shelf.uncommitted(),
            store_bytes: self.shelf.store.size_bytes().unwrap_or_default(),
            credentials: self.shelf.store.credential_count(),
            searches: self.searches,
            network: snapshot.map(network_report),
        }
    }
}

fn peer_row(peer: network::PeerInfo) -> PeerRow {
    PeerRow {
        peer_id: peer.node.to_string(),
        address: peer.address,
        outbound: peer.outbound,
        relayed: peer.relayed,
        rtt_ms: peer.rtt.map(|rtt| (rtt.as_secs_f64() * 1e6).round() / 1e3),
        agent: peer.agent,
        protocol: peer.protocol,
        connected_seconds: peer.connected.as_secs(),
        meshes: peer.meshes,
        serves: peer.serves,
    }
}

fn network_report(snapshot: Snapshot) -> NetworkReport {
    let reach = snapshot.reachability;
    let (inbound, outbound, relayed) = snapshot.connections;
    let bootstrap = snapshot.bootstrap.into_iter();
    NetworkReport {
        listen: snapshot.listen,
        peers: snapshot.peers.into_iter().map(peer_row).collect(),
        strangers: snapshot.strangers,
        reachability: ReachabilityRow {
            serves: reach.serves,
            confirmed: reach.confirmed,
            failed: reach.failed,
            relays: reach.relays.iter().map(ToString::to_string).collect(),
            relays_known: reach.relays_known,
            guests: reach.guests,
            upgraded: reach.upgraded,
            mapped: reach.mapped,
        },
        bootstrap: bootstrap.map(|(address, answered)| BootstrapRow { address, answered }).collect(),
        connections: ConnectionsRow { inbound, outbound, relayed, crowded_out: snapshot.crowded_out },
        contacts: snapshot.contacts,
        records: snapshot.records,
        mesh: snapshot.mesh,
        requests: snapshot.requests,
    }
}

/// The node's own figures, without an end.
fn metrics_of(report: &ConditionReport, searches_running: usize) -> String {
    let mut text = String::new();
    let mut figure = |name: &str, kind: &str, help: &str, values: &[(&str, u64)]| {
        let suffix = if kind == "counter" { "_total" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "# HELP knack_{name} {help}.\n# TYPE knack_{name} {kind}\n");
        for (labels, value) in values {
            let _ = writeln!(text, "knack_{name}{suffix}{labels} {value}");
        }
    };
    let count = |n: usize| n as u64;
    figure("summaries", "gauge", "Summaries held", &[("", count(report.summaries))]);
    let uncommitted = count(report.uncommitted);
    figure("index_uncommitted", "gauge", "Summaries that the index has not committed", &[("", uncommitted)]);
    figure("store_bytes", "gauge", "Bytes of the store on disk", &[("", report.store_bytes)]);
    figure("searches", "counter", "Searches of this home", &[("", report.searches)]);
    figure("searches_running", "gauge", "Searches under way", &[("", count(searches_running))]);
    if let Some(network) = &report.network {
        let c = network.connections;
        let directions =
            [("{direction=\"inbound\"}", count(c.inbound)), ("{direction=\"outbound\"}", count(c.outbound))];
        figure("connections", "gauge", "Connections", &directions);
        figure("connections_relayed", "gauge", "Connections through relays", &[("", count(c.relayed))]);
        let refused = "Inbound connections refused because of their address group";
        figure("connections_crowded_out", "counter", refused, &[("", c.crowded_out)]);
        figure(
            "peers",
            "gauge",
            "Connected nodes that speak our requests",
            &[("", count(network.peers.len()))],
        );
        let strangers = count(network.strangers.len());
        figure("peers_of_other_versions", "gauge", "Connected nodes of other versions", &[("", strangers)]);
        figure("mesh_peers", "gauge", "Peers in a gossip mesh", &[("", count(network.mesh))]);
        figure("kad_contacts", "gauge", "Peers in the routing table", &[("", count(network.contacts))]);
        figure("kad_records", "gauge", "Records of the hash table", &[("", count(network.records))]);
        figure("requests_under_way", "gauge", "Own requests under way", &[("", count(network.requests))]);
        let reach = &network.reachability;
        figure(
            "reachable",
            "gauge",
            "Whether others can connect to this node",
            &[("", u64::from(reach.serves))],
        );
        figure("relays", "gauge", "Relays at which the node has a place", &[("", count(reach.relays.len()))]);
        figure("relay_guests", "gauge", "Peers with a place at this relay", &[("", count(reach.guests))]);
        let upgraded = "Connections that took the place of one through a relay";
        figure("hole_punched", "counter", upgraded, &[("", reach.upgraded)]);
    }
    text
}
