//! Which gossip messages each node has seen, for as long as a router remembers it.
//!
//! By message and then by node: while a message spreads, what is looked at stands together, and a node is told apart from
//! those that have it without being touched.

use knackmesh_protocol::time::Timestamp;

/// How long a message is remembered as seen, in milliseconds.
pub const SEEN_MS: u64 = 5 * 60 * 1000;

/// See the module.
#[derive(Debug, Default)]
pub struct Sightings {
    nodes: usize,
    messages: Vec<Sighted>,
    /// Those before this have been forgotten by everybody.
    forgotten: usize,
}

/// When a message was first seen, and by each node: milliseconds since then plus one, zero for never.
#[derive(Debug)]
struct Sighted {
    first: Timestamp,
    last: Timestamp,
    after_ms: Vec<u32>,
}

impl Sightings {
    /// Nothing that any of so many nodes has seen.
    pub fn of(nodes: u32) -> Self {
        Sightings { nodes: nodes as usize, ..Sightings::default() }
    }

    /// Whether a message, named by its number, is new to a node, and from now on seen.
    pub fn sees(&mut self, now: Timestamp, node: u32, message: u32) -> bool {
        if self.has_seen(now, node, message) {
            return false;
        }
        let unseen = || Sighted { first: now, last: now, after_ms: Vec::new() };
        if self.messages.len() <= message as usize {
            self.messages.resize_with(message as usize + 1, unseen);
        }
        let sighted = &mut self.messages[message as usize];
        if sighted.after_ms.is_empty() {
            *sighted = Sighted { after_ms: vec![0; self.nodes], ..unseen() };
            self.forgotten = self.forgotten.min(message as usize);
        }
        sighted.last = now;
        if let Some(after_ms) = sighted.after_ms.get_mut(node as usize) {
            *after_ms = u32::try_from(now.since_ms(sighted.first) + 1).unwrap_or(u32::MAX);
        }
        true
    }

    /// Whether a node has seen a message and remembers it.
    pub fn has_seen(&self, now: Timestamp, node: u32, message: u32) -> bool {
        self.messages.get(message as usize).is_some_and(|sighted| {
            let after_ms = sighted.after_ms.get(node as usize).copied().unwrap_or(0);
            after_ms > 0 && now.since_ms(sighted.first.plus_ms(u64::from(after_ms) - 1)) < SEEN_MS
        })
    }

    /// A node that starts anew remembers nothing.
    pub fn forget(&mut self, node: u32) {
        for sighted in &mut self.messages[self.forgotten..] {
            if let Some(after_ms) = sighted.after_ms.get_mut(node as usize) {
                *after_ms = 0;
            }
        }
    }

    /// Frees what no node remembers.
    pub fn sweep(&mut self, now: Timestamp) {
        let mut all = true;
        for at in self.forgotten..self.messages.len() {
            let sighted = &mut self.messages[at];
            if now.since_ms(sighted.last) >= SEEN_MS {
                sighted.after_ms = Vec::new();
                self.forgotten += usize::from(all);
            } else {
                all = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    #[test]
    fn what_was_seen_is_forgotten_after_five_minutes() {
        let mut seen = Sightings::of(2);
        assert!(seen.sees(NOW, 0, 1) && !seen.sees(NOW, 0, 1) && seen.has_seen(NOW, 0, 1));
        assert!(!seen.has_seen(NOW, 1, 1) && !seen.has_seen(NOW, 0, 0));
        assert!(!seen.sees(NOW.plus_ms(SEEN_MS - 1), 0, 1));
        let later = NOW.plus_ms(SEEN_MS);
        assert!(!seen.has_seen(later, 0, 1) && seen.sees(later, 0, 1) && seen.has_seen(later, 0, 1));
    }

    #[test]
    fn who_starts_anew_has_seen_nothing_and_what_nobody_remembers_is_freed() {
        let mut seen = Sightings::of(2);
        assert!(seen.sees(NOW, 0, 0) && seen.sees(NOW, 1, 0) && seen.sees(NOW, 0, 1));
        seen.forget(0);
        assert!(!seen.has_seen(NOW, 0, 0) && seen.has_seen(NOW, 1, 0) && !seen.has_seen(NOW, 0, 1));
        let later = NOW.plus_ms(SEEN_MS);
        assert!(seen.sees(later, 0, 1));
        seen.sweep(later);
        assert!(seen.messages[0].after_ms.is_empty() && seen.has_seen(later, 0, 1));
        assert!(seen.sees(later, 1, 0));
        seen.forget(1);
        assert!(!seen.has_seen(later, 1, 0));
    }
}
