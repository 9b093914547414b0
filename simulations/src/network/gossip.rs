//! Gossip on its way: what a node publishes or accepts goes on, once to each, as its router says. Duplicates are
//! suppressed for five minutes, and only what a peer accepts is forwarded.

use knackmesh_protocol::{
    peer::{GossipId, Input},
    time::Timestamp,
};

use crate::{
    checks::Violation,
    mesh::{Control, Gossip, Mesh, Neighbours},
    queue::Event,
    traffic::Kind,
    world::World,
};

/// Bytes of the envelope around a control message, and of a topic's name in it, about.
const CONTROL_BYTES: usize = 32;
/// Bytes of a message's id in a control message.
const ID_BYTES: usize = 34;

impl World {
    /// A node publishes by gossip.
    pub(crate) fn publish_by_gossip(&mut self, from: u32, topic: String, bytes: Vec<u8>) {
        let is_read = |to: &u32| self.nodes[*to as usize].site.reads_announcements;
        if Kind::of_item(self.memo.read(&bytes).as_ref()) == Kind::Announcement
            && !is_read(&from)
            && !self.nodes[from as usize].links.iter().any(is_read)
        {
            // Where everybody keeps only cells, nobody reads it.
            return;
        }
        let message = self.network.messages.number(self.now, from, topic, bytes, &self.memo);
        let now = self.now;
        self.network.sightings.sees(now, from, message);
        let floods = self.mesh().is_none_or(|mesh| mesh.flood_publish);
        self.spread(from, None, message, floods);
    }

    /// A node accepted what a neighbour forwarded.
    pub(crate) fn forward(&mut self, node: u32, from: u32, message: u32) {
        self.spread(node, Some(from), message, self.mesh().is_none());
    }

    fn spread(&mut self, node: u32, except: Option<u32>, message: u32, floods: bool) {
        let now = self.now;
        let mesh = self.mesh();
        let this = &mut self.nodes[node as usize];
        let mut neighbours = std::mem::take(&mut self.network.addressed);
        neighbours.clear();
        neighbours.extend(if floods { &this.links } else { &this.router.mesh });
        if let Some(mesh) = mesh {
            this.router.keep(now, message, &mesh);
        }
        if self.network.messages.get(message).kind == Kind::Announcement {
            neighbours.retain(|to| self.nodes[*to as usize].site.reads_announcements);
        }
        for to in neighbours.iter().filter(|to| Some(**to) != except) {
            if !self.is_unwanted(node, *to, message) {
                self.send_message(node, *to, message);
            }
        }
        self.network.addressed = neighbours;
        self.tend_mesh(node);
    }

    /// Whether a neighbour has had the time to say that it has a message and wants no second.
    fn is_unwanted(&self, from: u32, to: u32, message: u32) -> bool {
        let Some(mesh) = self.mesh() else { return false };
        let sent = self.network.messages.get(message);
        // Who published it says nothing.
        if sent.wire_bytes() <= mesh.unwanted_above || sent.from == to {
            return false;
        }
        let (sender, receiver) = (&self.nodes[from as usize], &self.nodes[to as usize]);
        let says_so = |seen: Timestamp| {
            let takes_ms = self.scenario.latency.least_ms(receiver.site.region, sender.site.region);
            seen.plus_ms(takes_ms) <= self.now && receiver.router.mesh.contains(&from)
        };
        self.runs(to) && self.network.sightings.seen_at(self.now, to, message).is_some_and(says_so)
    }

    /// Counts what a node says to its mesh when a long message reaches it: that it wants no second.
    fn refuse_further(&mut self, node: u32, from: u32, message: u32) {
        let Some(mesh) = self.mesh() else { return };
        if self.network.messages.get(message).wire_bytes() <= mesh.unwanted_above {
            return;
        }
        let told: Vec<u32> =
            self.nodes[node as usize].router.mesh.iter().copied().filter(|to| *to != from).collect();
        for to in told {
            let bytes = CONTROL_BYTES + ID_BYTES;
            self.nodes[node as usize].site.traffic.sends(Kind::Control, bytes);
            if self.runs(to) {
                self.nodes[to as usize].site.traffic.receives(Kind::Control, bytes);
            }
        }
    }

    fn send_message(&mut self, from: u32, to: u32, message: u32) {
        let (kind, bytes) = {
            let message = self.network.messages.get(message);
            (message.kind, message.wire_bytes())
        };
        let Some(at) = self.transmit(from, to, kind, bytes) else { return };
        if self.runs(to) && self.network.sightings.has_seen(self.now, to, message) {
            // What it has seen by now it will have seen by then: that needs no event.
            self.network.messages.again(message);
        } else {
            self.queue.push(at, Event::Gossip { to, from, message });
        }
    }

    pub(crate) fn gossip_arrives(&mut self, to: u32, from: u32, message: u32) -> Result<(), Violation> {
        let now = self.now;
        let node = &mut self.nodes[to as usize];
        if node.peer.is_none() || !node.links.contains(&from) {
            return Ok(());
        }
        if !self.network.sightings.sees(now, to, message) {
            self.network.messages.again(message);
            return Ok(());
        }
        self.network.messages.arrived(message, to, now);
        self.refuse_further(to, from, message);
        self.network.next_gossip += 1;
        let id = GossipId(self.network.next_gossip);
        self.nodes[to as usize].validating = Some((id, from, message));
        let from = self.nodes[from as usize].contact();
        let message = self.network.messages.get(message);
        self.memo.expect(message.id, &message.bytes);
        let (topic, bytes) = (message.topic.clone(), message.bytes.to_vec());
        self.feed(to, Input::Gossip { message: id, from, topic, bytes })
    }

    pub(crate) fn control_arrives(&mut self, to: u32, from: u32, control: Control) {
        let (now, Some(mesh)) = (self.now, self.mesh()) else { return };
        let node = &mut self.nodes[to as usize];
        if node.peer.is_none() || !node.links.contains(&from) {
            return;
        }
        if let Control::Want(wanted) = &control {
            for message in node.router.kept(now, wanted, &mesh) {
                self.send_message(to, from, message);
            }
            return;
        }
        let dialled = node.outbound.contains(&from);
        let seen = |message| self.network.sightings.has_seen(now, to, message);
        if let Some(answer) = node.router.hears(now, from, control, dialled, &mesh, seen) {
            self.send_control(to, from, answer);
        }
        self.tend_mesh(to);
    }

    /// Two nodes tell each other over a new connection that they subscribe. Each has to agree with the other on a version of gossipsub
    /// first, and the one that was dialled sees the connection stand later.
    pub(super) fn subscribe(&mut self, dialler: u32, dialled: u32) {
        let (Some(_), Some(delay)) = (self.mesh(), self.delay(dialler, dialled)) else { return };
        for (to, from, ways) in [(dialled, dialler, 3), (dialler, dialled, 4)] {
            let control = Control::Subscribe;
            self.queue.push(self.now.plus_ms(ways * delay), Event::Control { to, from, control });
        }
    }

    pub(crate) fn heartbeat(&mut self, node: u32) {
        let (now, Some(mesh)) = (self.now, self.mesh()) else { return };
        let this = &mut self.nodes[node as usize];
        if this.peer.is_none() || this.router.beat != Some(now) {
            return;
        }
        this.router.beat = None;
        let neighbours = Neighbours { all: &this.links, outbound: &this.outbound };
        for (to, control) in this.router.heartbeat(now, neighbours, &mesh, &mut this.gossip) {
            self.send_control(node, to, control);
        }
        self.tend_mesh(node);
    }

    /// Schedules the next heartbeat that has something to do, if there is one.
    pub(super) fn tend_mesh(&mut self, node: u32) {
        let (now, Some(mesh)) = (self.now, self.mesh()) else { return };
        let this = &mut self.nodes[node as usize];
        if this.peer.is_none() {
            return;
        }
        let neighbours = Neighbours { all: &this.links, outbound: &this.outbound };
        let Some(at) = this.router.next_beat(now, neighbours, &mesh, this.phase_ms) else { return };
        if this.router.beat.is_none_or(|beat| at < beat || beat <= now) {
            this.router.beat = Some(at);
            self.queue.push(at, Event::Heartbeat(node));
        }
    }

    fn send_control(&mut self, from: u32, to: u32, control: Control) {
        let ids = match &control {
            Control::Subscribe | Control::Graft | Control::Prune => 0,
            Control::Have(messages) | Control::Want(messages) => messages.len(),
        };
        let Some(at) = self.transmit(from, to, Kind::Control, CONTROL_BYTES + ID_BYTES * ids) else { return };
        if let Control::Have(messages) = &control {
            let seen = &self.network.sightings;
            if messages.iter().all(|message| seen.has_seen(self.now, to, *message)) {
                // It lacks nothing of that now and will not when it hears of it: that needs no event.
                return;
            }
        }
        self.queue.push(at, Event::Control { to, from, control });
    }

    fn mesh(&self) -> Option<Mesh> {
        match self.scenario.gossip {
            Gossip::Flood => None,
            Gossip::Mesh(mesh) => Some(mesh),
        }
    }
}
