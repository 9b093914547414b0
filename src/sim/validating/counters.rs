//! libp2p's own counters, as OpenMetrics text.

use knackmesh_simulations::traffic::{Count, Kind};

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
