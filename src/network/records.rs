//! The distributed hash table: value records, and finding peers.
//!
//! A record is put with two steps of ours, a look-up of the peers nearest to its key and a put on each, because
//! libp2p's own put stamps the publisher's peer id on the record. Records are put again every hour while they
//! last, sooner when nobody took them. Provider records are neither made nor kept.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use knackmesh_protocol::{limits, peer, time::Timestamp};
use libp2p::{
    Multiaddr, PeerId,
    kad::{
        self, GetClosestPeersError, GetClosestPeersOk, GetRecordOk, InboundRequest, PutRecordError, QueryId,
        QueryResult, Quorum, Record, RecordKey, store::RecordStore,
    },
};

use crate::network::{Effort, Event, address, groups, swarm::Driver, whereabouts, whereabouts::Whereabouts};

/// A put that reached nobody is tried again after this time.
const RETRY: Duration = Duration::from_secs(10);
/// Records put again in one go; the next go is half a second later.
const PUTS_AT_ONCE: usize = 8;
/// Expired records are forgotten this often.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// Records that this node published, and look-ups under way.
pub(super) struct Records {
    published: BTreeMap<Vec<u8>, Published>,
    lookups: HashMap<QueryId, Lookup>,
    purge: Instant,
}

struct Published {
    value: Vec<u8>,
    expires: Instant,
    /// When to put it again.
    next: Instant,
}

/// What a look-up is for.
pub(super) enum Lookup {
    /// The peers to put a record on.
    Place { key: Vec<u8> },
    /// Whether they took it.
    Put { key: Vec<u8> },
    /// A record, with what was found so far.
    Get { token: u64, key: Vec<u8>, values: BTreeSet<Vec<u8>>, copies: usize },
    /// The addresses of a peer for which requests wait.
    Peer(PeerId),
    /// The relays of such a peer.
    Whereabouts(PeerId),
    /// The peers nearest to a key, for the node.
    Closest { token: u64, key: Vec<u8> },
    /// Any further peers.
    Walk,
}

impl Records {
    pub(super) fn new(now: Instant) -> Self {
        Records { published: BTreeMap::new(), lookups: HashMap::new(), purge: now + PURGE_EVERY }
    }

    /// Puts a record on others no longer.
    pub(super) fn unpublish(&mut self, key: &[u8]) {
        self.published.remove(key);
    }
}

/// When a record expires by the clock that libp2p uses; `None` when it has.
fn deadline(expires: Timestamp) -> Option<Instant> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = expires.until(Timestamp::from_unix_ms(now.as_millis() as u64));
    (!left.is_zero()).then(|| Instant::now() + left.min(Duration::from_millis(limits::LEASE_MAX_MS)))
}

fn within_bounds(key: &[u8], value: &[u8]) -> bool {
    key.len() <= limits::RECORD_KEY_BYTES_MAX && value.len() <= limits::RECORD_BYTES_MAX
}

impl Driver {
    /// Keeps a record, replacing any with the same key. False when it was not kept.
    pub(super) fn store_record(&mut self, key: Vec<u8>, value: Vec<u8>, expires: Timestamp) -> bool {
        let Some(expires) = deadline(expires).filter(|_| within_bounds(&key, &value)) else {
            tracing::debug!("a record that expired or is too long was not kept");
            return false;
        };
        let record = Record { key: key.into(), value, publisher: None, expires: Some(expires) };
        let kept = self.swarm.behaviour_mut().kad.store_mut().put(record);
        kept.inspect_err(|error| tracing::debug!(%error, "record not kept")).is_ok()
    }

    /// Publishes a record from now until it expires.
    pub(super) fn put_record(&mut self, key: Vec<u8>, value: Vec<u8>, expires: Timestamp) {
        let Some(until) = deadline(expires).filter(|_| within_bounds(&key, &value)) else {
            tracing::warn!("a record that expired or is too long was not published");
            return;
        };
        // A full store still lets the others keep it.
        self.store_record(key.clone(), value.clone(), expires);
        let now = Instant::now();
        let published = &mut self.records.published;
        if published.len() >= limits::RECORDS_PUBLISHED_MAX && !published.contains_key(&key) {
            published.retain(|_, record| record.expires > now);
            if published.len() >= limits::RECORDS_PUBLISHED_MAX {
                tracing::warn!("too many records; one was not published");
                return;
            }
        }
        published.insert(key, Published { value, expires: until, next: now });
        self.put_due_records(now);
    }

    /// Puts records whose time has come, and forgets expired ones.
    pub(super) fn put_due_records(&mut self, now: Instant) {
        if now >= self.records.purge {
            self.records.purge = now + PURGE_EVERY;
            self.records.published.retain(|_, record| record.expires > now);
            self.swarm.behaviour_mut().kad.store_mut().retain(|_, record| !record.is_expired(now));
        }
        if self.peers.is_empty() {
            return;
        }
        let due = self.records.published.iter().filter(|(_, record)| record.next <= now);
        for key in due.map(|(key, _)| key.clone()).take(PUTS_AT_ONCE).collect::<Vec<_>>() {
            let started = self.look_up(Lookup::Place { key: key.clone() });
            let pause = Duration::from_millis(limits::RECORD_REPUBLISH_MS);
            self.retry_record(&key, if started { pause } else { RETRY });
        }
    }

    fn retry_record(&mut self, key: &[u8], pause: Duration) {
        if let Some(record) = self.records.published.get_mut(key) {
            record.next = Instant::now() + pause;
        }
    }

    /// Looks a record up.
    pub(super) fn get_record(&mut self, token: u64, key: Vec<u8>) {
        if !self.look_up(Lookup::Get { token, key, values: BTreeSet::new(), copies: 0 }) {
            self.emit(Event::RecordFound { token, values: Vec::new(), effort: Effort::default() });
        }
    }

    /// Looks for the peers nearest to a key, in the network or in the own routing table.
    pub(super) fn closest(&mut self, token: u64, key: Vec<u8>, network: bool) {
        if network && !self.peers.is_empty() && self.look_up(Lookup::Closest { token, key: key.clone() }) {
            return;
        }
        let target = kad::KBucketKey::new(key.clone());
        let kad = &mut self.swarm.behaviour_mut().kad;
        let nearest: Vec<PeerId> = kad
            .get_closest_local_peers(&target)
            .map(|peer| *peer.preimage())
            .take(limits::CELL_NODES_MAX)
            .collect();
        let mut known: HashMap<PeerId, Vec<Multiaddr>> = self.addresses_known().into_iter().collect();
        let peers = nearest.into_iter().map(|peer| (peer, known.remove(&peer).unwrap_or_default())).collect();
        self.found_closest(token, &key, peers);
    }

    fn found_closest(&mut self, token: u64, key: &[u8], mut peers: Vec<(PeerId, Vec<Multiaddr>)>) {
        let target = kad::KBucketKey::new(key.to_vec());
        let distance = |peer: &PeerId| kad::KBucketKey::from(*peer).distance(&target);
        let own = *self.swarm.local_peer_id();
        peers.retain(|(peer, _)| *peer != own);
        peers.sort_by_key(|(peer, _)| distance(peer));
        let place = peers.iter().filter(|(peer, _)| distance(peer) < distance(&own)).count();
        let groups = &self.swarm.behaviour().groups;
        let contact = |(peer, addresses): &(PeerId, Vec<Multiaddr>)| {
            let group = addresses.first().map_or(peer::Group::UNGROUPED, |address| groups.party(address));
            Some(peer::Contact { node: address::node_of(peer)?, group })
        };
        let nodes = peers.iter().filter_map(contact).collect();
        self.emit(Event::Closest { token, nodes, place });
    }

    /// Starts a look-up; false when too many run.
    pub(super) fn look_up(&mut self, lookup: Lookup) -> bool {
        if self.records.lookups.len() >= limits::LOOKUPS_MAX {
            return false;
        }
        let kad = &mut self.swarm.behaviour_mut().kad;
        let id = match &lookup {
            Lookup::Place { key } | Lookup::Closest { key, .. } => kad.get_closest_peers(key.clone()),
            Lookup::Get { key, .. } => kad.get_record(RecordKey::from(key.clone())),
            Lookup::Peer(peer) => kad.get_closest_peers(*peer),
            Lookup::Whereabouts(peer) => kad.get_record(RecordKey::from(whereabouts::key(peer))),
            Lookup::Walk => kad.get_closest_peers(PeerId::random()),
            // Started by the end of `Place` alone.
            Lookup::Put { .. } => return false,
        };
        self.records.lookups.insert(id, lookup);
        true
    }

    pub(super) fn on_kad(&mut self, event: kad::Event) {
        match event {
            kad::Event::InboundRequest {
                request: InboundRequest::PutRecord { source, record: Some(record), .. },
            } if within_bounds(record.key.as_ref(), &record.value) => {
                if whereabouts::is_key(record.key.as_ref()) {
                    return self.keep_whereabouts(record.key.to_vec(), record.value);
                }
                self.emit_from(&source, |from| Event::RecordOffered {
                    from,
                    key: record.key.to_vec(),
                    value: record.value,
                });
            }
            kad::Event::OutboundQueryProgressed { id, result, step, stats } => {
                let Some(lookup) = self.records.lookups.remove(&id) else { return };
                let effort = Effort {
                    requests: stats.num_requests(),
                    failures: stats.num_failures(),
                    elapsed: stats.duration().unwrap_or_default(),
                };
                if let Some(unfinished) = self.progress(id, lookup, result, step.last, effort) {
                    self.records.lookups.insert(id, unfinished);
                }
            }
            _ => {}
        }
    }

    /// Takes a result in; returns the look-up while it goes on.
    fn progress(
        &mut self,
        id: QueryId,
        lookup: Lookup,
        result: QueryResult,
        last: bool,
        effort: Effort,
    ) -> Option<Lookup> {
        match (lookup, result) {
            (Lookup::Place { key }, QueryResult::GetClosestPeers(result)) => {
                let peers = match result {
                    Ok(GetClosestPeersOk { peers, .. })
                    | Err(GetClosestPeersError::Timeout { peers, .. }) => {
                        peers.into_iter().map(|info| info.peer_id).collect()
                    }
                };
                self.put_on(key, peers);
                None
            }
            (Lookup::Closest { token, key }, QueryResult::GetClosestPeers(result)) => {
                let peers = match result {
                    Ok(GetClosestPeersOk { peers, .. })
                    | Err(GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                let peers = peers.into_iter().map(|info| (info.peer_id, info.addrs)).collect();
                self.found_closest(token, &key, peers);
                None
            }
            (Lookup::Put { key }, QueryResult::PutRecord(result)) => {
                let taken = match &result {
                    Ok(_) => true,
                    Err(
                        PutRecordError::QuorumFailed { success, .. }
                        | PutRecordError::Timeout { success, .. },
                    ) => !success.is_empty(),
                };
                if !taken {
                    self.retry_record(&key, RETRY);
                }
                None
            }
            (Lookup::Get { token, key, mut values, mut copies }, QueryResult::GetRecord(result)) => {
                if let Ok(GetRecordOk::FoundRecord(found)) = result
                    && found.record.key.as_ref() == key.as_slice()
                    && found.record.value.len() <= limits::RECORD_BYTES_MAX
                {
                    copies += 1;
                    values.insert(found.record.value);
                }
                if last || copies >= limits::RECORD_COPIES_MAX {
                    if let Some(mut query) = self.swarm.behaviour_mut().kad.query_mut(&id) {
                        query.finish();
                    }
                    self.emit(Event::RecordFound { token, values: values.into_iter().collect(), effort });
                    return None;
                }
                Some(Lookup::Get { token, key, values, copies })
            }
            (Lookup::Whereabouts(peer), QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found)))) => {
                let record = found.record;
                let read = Whereabouts::read(record.key.as_ref(), &record.value, whereabouts::since_1970());
                if let Some(found) = read.filter(|found| found.peer == peer) {
                    self.dial_waiting(&peer, found.addresses);
                }
                if last {
                    self.search_done(&peer);
                    return None;
                }
                Some(Lookup::Whereabouts(peer))
            }
            (Lookup::Whereabouts(peer), _) if !last => Some(Lookup::Whereabouts(peer)),
            (Lookup::Peer(peer) | Lookup::Whereabouts(peer), _) => {
                self.search_done(&peer);
                None
            }
            _ => None,
        }
    }

    fn put_on(&mut self, key: Vec<u8>, peers: Vec<PeerId>) {
        let Some(record) = self.records.published.get(&key) else { return };
        if peers.is_empty() {
            return self.retry_record(&key, RETRY);
        }
        let record = Record {
            key: key.clone().into(),
            value: record.value.clone(),
            publisher: None,
            expires: Some(record.expires),
        };
        // Any lower quorum would end the put before the rest were offered the record.
        let id = self.swarm.behaviour_mut().kad.put_record_to(record, peers.into_iter(), Quorum::All);
        self.records.lookups.insert(id, Lookup::Put { key });
    }

    /// Takes the addresses of a peer into the routing table, in place of those it had.
    pub(super) fn learn(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let fresh: Vec<Multiaddr> = addresses.into_iter().filter_map(|a| a.with_p2p(peer).ok()).collect();
        if fresh.is_empty() {
            return;
        }
        let kad = &mut self.swarm.behaviour_mut().kad;
        let bucket: Vec<(PeerId, Vec<Multiaddr>)> = kad
            .kbucket(peer)
            .iter()
            .flat_map(|bucket| bucket.iter())
            .map(|entry| (*entry.node.key.preimage(), entry.node.value.iter().cloned().collect()))
            .collect();
        let known = bucket.iter().find(|(one, _)| *one == peer).map(|(_, addresses)| addresses.clone());
        if known.is_none() && !has_room(&bucket, &fresh) {
            return;
        }
        let known = known.unwrap_or_default();
        for address in fresh.iter().filter(|address| !known.contains(address)) {
            kad.add_address(&peer, address.clone());
        }
        for address in known.iter().filter(|address| !fresh.contains(address)) {
            kad.remove_address(&peer, address);
        }
    }

    /// The value kept under a key.
    pub(super) fn held_record(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let store = self.swarm.behaviour_mut().kad.store_mut();
        store.get(&RecordKey::from(key.to_vec())).map(|record| record.value.clone())
    }

    /// Records kept, our own included.
    pub(super) fn kept_records(&mut self) -> usize {
        self.swarm.behaviour_mut().kad.store_mut().records().count()
    }

    /// Peers of the routing table.
    pub(super) fn contacts(&mut self) -> Vec<PeerId> {
        let buckets = self.swarm.behaviour_mut().kad.kbuckets();
        buckets
            .flat_map(|bucket| bucket.iter().map(|entry| *entry.node.key.preimage()).collect::<Vec<_>>())
            .collect()
    }

    /// Peers of the routing table with their addresses, those connected first.
    pub(super) fn addresses_known(&mut self) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let buckets = self.swarm.behaviour_mut().kad.kbuckets();
        let mut known: Vec<(PeerId, Vec<Multiaddr>)> = buckets
            .flat_map(|bucket| {
                let entries = bucket.iter().map(|entry| {
                    (*entry.node.key.preimage(), entry.node.value.iter().cloned().collect::<Vec<_>>())
                });
                entries.collect::<Vec<_>>()
            })
            .collect();
        known.sort_by_key(|(peer, _)| !self.peers.contains(peer));
        known
    }

    /// Those of them that are not connected.
    pub(super) fn strangers(&mut self) -> Vec<PeerId> {
        let mut contacts = self.contacts();
        contacts.retain(|peer| !self.peers.contains(peer));
        contacts
    }
}

/// Whether a bucket of the routing table takes one more peer: not where those of one group of public addresses are many already, so
/// that whoever owns a subnet is not all that look-ups begin with. What is near each other in a private network is one's own.
fn has_room(bucket: &[(PeerId, Vec<Multiaddr>)], fresh: &[Multiaddr]) -> bool {
    let groups = groups::Behaviour::new(groups::Crowding::default());
    let public = |addresses: &[Multiaddr]| {
        let first = addresses.iter().find(|one| address::scope(one) == Some(address::Scope::World))?;
        Some(groups.party(first))
    };
    let Some(group) = public(fresh) else { return true };
    let same = bucket
        .iter()
        .filter(|(_, addresses)| public(addresses).is_some_and(|other| other.is_shared_with(group)))
        .count();
    same < limits::BUCKET_PEERS_PER_GROUP_MAX
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_subnet_does_not_fill_a_bucket() {
        let at = |text: &str| -> Vec<Multiaddr> { vec![text.parse().unwrap()] };
        let of = |prefix: &str| -> Vec<(PeerId, Vec<Multiaddr>)> {
            let addresses =
                (1..=limits::BUCKET_PEERS_PER_GROUP_MAX).map(|n| at(&format!("{prefix}{n}/tcp/4001")));
            addresses.map(|addresses| (PeerId::random(), addresses)).collect()
        };
        let bucket = of("/ip4/203.0.113.");
        assert!(!has_room(&bucket, &at("/ip4/203.0.113.77/udp/4001/quic-v1")));
        assert!(has_room(&bucket, &at("/ip4/203.0.114.77/tcp/4001")));
        assert!(has_room(&bucket[1..], &at("/ip4/203.0.113.77/tcp/4001")));
        assert!(has_room(&of("/ip4/192.168.1."), &at("/ip4/192.168.1.77/tcp/4001")), "a private network");
        assert!(!has_room(&of("/ip6/2a00:1:2::"), &at("/ip6/2a00:1:2:3::9/tcp/4001")));
    }
}
