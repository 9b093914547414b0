//! What a real node receives: gossip and look-ups by libp2p's own counters (OpenMetrics text), all else from what enters its peer.

use std::collections::BTreeMap;

use knackmesh_protocol::peer::{Input, Output, RequestId};
use knackmesh_simulations::traffic::{Count, Kind};

/// Requests, responses and records that reach one node.
#[derive(Default)]
pub struct Received {
    asked: BTreeMap<RequestId, Kind>,
}

impl Received {
    /// Which kind of message an input is, and how large; `None` for gossip, and for what is no message.
    pub fn enters(&mut self, input: &Input) -> Option<(Kind, Count)> {
        let (kind, bytes) = match input {
            Input::Request { bytes, .. } => (Kind::of_request(bytes), bytes.len()),
            Input::Response { request, result } => {
                let kind = self.asked.remove(request)?;
                (kind, result.as_ref().ok()?.len())
            }
            Input::RecordOffered { key, value } => (Kind::Record, key.len() + value.len()),
            _ => return None,
        };
        Some((kind, Count { messages: 1, bytes: bytes as u64 }))
    }

    /// A response is of the kind of its request.
    pub fn leaves(&mut self, output: &Output) {
        if let Output::Send { request, bytes, .. } = output {
            self.asked.insert(*request, Kind::of_request(bytes));
        }
    }
}

/// What gossip brought, by kind: all messages received, and of those the ones that had been received before.
pub fn gossip(text: &str, mut each: impl FnMut(Kind, Count, i64)) {
    for (counter, topic, value) in text.lines().filter_map(counter) {
        let (messages, signed) = (value, i64::try_from(value).unwrap_or(i64::MAX));
        match counter {
            "topic_msg_recv_counts_unfiltered_total" => {
                each(kind_of(topic), Count { messages, bytes: 0 }, signed);
            }
            "topic_msg_recv_counts_total" => each(kind_of(topic), Count::default(), -signed),
            "topic_msg_recv_bytes_unfiltered_total" => {
                each(kind_of(topic), Count { messages: 0, bytes: value }, 0);
            }
            _ => {}
        }
    }
}

/// Requests that look-ups in the hash table made, as far as they have ended. Counted where [`crate::home::NetworkSettings::metrics`] is set.
pub fn look_up_requests(text: &str) -> u64 {
    let sums = text.lines().filter(|line| line.starts_with("libp2p_kad_query_result_num_requests_sum"));
    let values = sums.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.sum::<f64>() as u64
}

/// What is published under a topic.
pub(super) fn kind_of(topic: &str) -> Kind {
    if topic.contains("/withdraw/") { Kind::Withdrawal } else { Kind::Announcement }
}

/// A counter of a topic: its name, the topic, its value.
fn counter(line: &str) -> Option<(&str, &str, u64)> {
    let (name, rest) = line.split_once('{')?;
    let (labels, value) = rest.rsplit_once("} ")?;
    let topic =
        labels.split('"').find(|label| label.contains("/announce/") || label.contains("/withdraw/"))?;
    Some((name, topic, value.trim().parse().ok()?))
}
