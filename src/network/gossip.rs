//! Gossip: publishing, and handing messages over to be judged.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use knackmesh_protocol::limits;
use libp2p::gossipsub::{Event as GossipsubEvent, IdentTopic, MessageAcceptance, PublishError};

use crate::network::{Event, GossipId, Verdict, swarm::Driver};

/// Messages of our own that nobody was there to receive. The first announcement after joining is often one: peers
/// tell their subscriptions just after the connection is made.
#[derive(Default)]
pub(super) struct Unsent(VecDeque<(String, Vec<u8>, Instant)>);

impl Driver {
    /// Publishes a message to every subscriber known, or keeps it for the first.
    pub(super) fn publish(&mut self, topic: String, bytes: Vec<u8>) {
        if bytes.len() > limits::GOSSIP_BYTES_MAX {
            tracing::warn!(topic, bytes = bytes.len(), "a message too long for gossip was dropped");
            return;
        }
        self.publish_until(topic, bytes, Instant::now() + Duration::from_millis(limits::GOSSIP_UNSENT_MS));
    }

    fn publish_until(&mut self, topic: String, bytes: Vec<u8>, until: Instant) {
        // Cloned: the library takes the message even when it has nobody to send it to.
        match self.swarm.behaviour_mut().gossipsub.publish(IdentTopic::new(&topic), bytes.clone()) {
            Ok(_) => {}
            Err(PublishError::NoPeersSubscribedToTopic) => {
                tracing::debug!(topic, "nobody subscribes yet");
                let Unsent(unsent) = &mut self.unsent;
                if unsent.len() == limits::GOSSIP_UNSENT_MAX {
                    unsent.pop_front();
                }
                unsent.push_back((topic, bytes, until));
            }
            Err(error) => tracing::debug!(topic, %error, "not published"),
        }
    }

    /// Reads these topics and no others.
    pub(super) fn subscribe(&mut self, topics: Vec<String>) {
        let gossipsub = &mut self.swarm.behaviour_mut().gossipsub;
        let wanted: Vec<IdentTopic> =
            topics.into_iter().take(limits::TOPICS_MAX).map(IdentTopic::new).collect();
        let read: Vec<_> = gossipsub.topics().cloned().collect();
        for topic in read.iter().filter(|hash| !wanted.iter().any(|topic| topic.hash() == **hash)) {
            // The hash of a plain topic is its name.
            gossipsub.unsubscribe(&IdentTopic::new(topic.as_str()));
        }
        for topic in wanted {
            if let Err(error) = gossipsub.subscribe(&topic) {
                tracing::warn!(%topic, %error, "not subscribed");
            }
        }
    }

    /// Forgets messages that have waited too long.
    pub(super) fn expire_unsent(&mut self, now: Instant) {
        self.unsent.0.retain(|(_, _, until)| *until > now);
    }

    pub(super) fn judge(&mut self, message: &GossipId, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Reject => MessageAcceptance::Reject,
            Verdict::Ignore => MessageAcceptance::Ignore,
        };
        let gossipsub = &mut self.swarm.behaviour_mut().gossipsub;
        if !gossipsub.report_message_validation_result(&message.id, &message.forwarder, acceptance) {
            tracing::debug!(id = %message.id, "judged too late to be forwarded");
        }
    }

    pub(super) fn on_gossip(&mut self, event: GossipsubEvent) {
        match event {
            GossipsubEvent::Message { propagation_source, message_id, message } => {
                let id = GossipId { id: message_id, forwarder: propagation_source };
                if message.data.len() > limits::GOSSIP_BYTES_MAX {
                    return self.judge(&id, Verdict::Reject);
                }
                self.emit_from_contact(&propagation_source, |from| Event::Gossip {
                    message: id,
                    from,
                    topic: message.topic.into_string(),
                    bytes: message.data,
                });
            }
            GossipsubEvent::Subscribed { topic, .. } => {
                let (sendable, kept) =
                    self.unsent.0.drain(..).partition(|(unsent, _, _)| unsent == topic.as_str());
                self.unsent.0 = kept;
                let sendable: VecDeque<_> = sendable;
                for (topic, bytes, until) in sendable {
                    self.publish_until(topic, bytes, until);
                }
            }
            GossipsubEvent::SlowPeer { peer_id, .. } => {
                tracing::debug!(peer = %peer_id, "slow to take gossip")
            }
            GossipsubEvent::Unsubscribed { .. } | GossipsubEvent::GossipsubNotSupported { .. } => {}
        }
    }
}
