//! A queue of events for integer time: by instant and, within an instant, in the order in which they were pushed.
//!
//! A hierarchical timing wheel (Varghese and Lauck, 1987). The lowest level has a slot for each of the 1,024 milliseconds
//! that share their upper bits with the present one; a slot of the next level stands for 1,024 of those, and so on. An
//! event waits at the level of the highest bit in which its instant differs from the present, and moves down once the
//! present enters its slot. Pushing and popping cost the same however many events wait, unlike with a heap.
//!
//! Invariants: a slot's events are in order of pushing, because a slot's lower level is empty until the slot is spread
//! over it, and nothing is pushed there before; what waits beyond the highest level waits in order too. Entries
//! come from one pool and are used again, so a run in steady state allocates nothing.

/// Bits of an instant that one level tells apart.
const LEVEL_BITS: u32 = 10;
const SLOTS: usize = 1 << LEVEL_BITS;
/// Three levels reach 2^30 ms, or 12 days.
const LEVELS: usize = 3;
const NONE: u32 = u32::MAX;

/// See the module.
pub struct Wheel<E> {
    now_ms: u64,
    len: usize,
    levels: [Level; LEVELS],
    /// What is further ahead than the highest level reaches, in order of pushing.
    beyond: List,
    pool: Vec<Entry<E>>,
    free: u32,
}

struct Level {
    slots: Vec<List>,
    /// One bit for each slot that has events.
    busy: [u64; SLOTS / 64],
}

/// Entries of the pool, first in, first out.
#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

struct Entry<E> {
    at_ms: u64,
    event: Option<E>,
    next: u32,
}

impl<E> Default for Wheel<E> {
    fn default() -> Self {
        Self {
            now_ms: 0,
            len: 0,
            levels: std::array::from_fn(|_| Level { slots: vec![List::EMPTY; SLOTS], busy: [0; SLOTS / 64] }),
            beyond: List::EMPTY,
            pool: Vec::new(),
            free: NONE,
        }
    }
}

impl<E> Wheel<E> {
    /// Schedules an event. What is scheduled for an instant that is over happens now.
    ///
    /// The present is that of the event popped last; after a `pop` without an event it may be as late as what was asked
    /// for, so nothing should be scheduled before that.
    pub fn push(&mut self, at_ms: u64, event: E) {
        let at_ms = at_ms.max(self.now_ms);
        let entry = self.entry(at_ms, event);
        self.place(at_ms, entry);
        self.len += 1;
    }

    /// The next event that happens no later than `until_ms`, and its instant.
    pub fn pop(&mut self, until_ms: u64) -> Option<(u64, E)> {
        loop {
            if let Some(slot) = self.levels[0].next(slot(self.now_ms, 0)) {
                let at_ms = self.now_ms & !mask(1) | slot as u64;
                if at_ms > until_ms {
                    return None;
                }
                self.now_ms = at_ms;
                return Some((at_ms, self.take(slot)?));
            }
            self.advance(until_ms)?;
        }
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the queue holds, those for events to come included.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + LEVELS * SLOTS * size_of::<List>() + self.pool.capacity() * size_of::<Entry<E>>()
    }

    /// The lowest level is empty: enters the next slot above it that has events, if it begins in time.
    fn advance(&mut self, until_ms: u64) -> Option<()> {
        for level in 1..LEVELS {
            // The slot of the present has been spread already.
            if let Some(slot) = self.levels[level].next(slot(self.now_ms, level) + 1) {
                let begins_ms = self.now_ms & !mask(level + 1) | (slot as u64) << (LEVEL_BITS * level as u32);
                if begins_ms > until_ms {
                    return None;
                }
                self.now_ms = begins_ms;
                let list = std::mem::replace(&mut self.levels[level].slots[slot], List::EMPTY);
                self.levels[level].mark(slot, false);
                self.spread(list);
                return Some(());
            }
        }
        let mut next_ms = u64::MAX;
        let mut at = self.beyond.first;
        while at != NONE {
            next_ms = next_ms.min(self.pool[at as usize].at_ms);
            at = self.pool[at as usize].next;
        }
        if self.beyond.first == NONE || next_ms > until_ms {
            return None;
        }
        self.now_ms = next_ms;
        let list = std::mem::replace(&mut self.beyond, List::EMPTY);
        self.spread(list);
        Some(())
    }

    /// Places each entry of a list anew, in order.
    fn spread(&mut self, list: List) {
        let mut at = list.first;
        while at != NONE {
            let entry = &mut self.pool[at as usize];
            let next = std::mem::replace(&mut entry.next, NONE);
            let at_ms = entry.at_ms;
            self.place(at_ms, at);
            at = next;
        }
    }

    fn place(&mut self, at_ms: u64, entry: u32) {
        let differs = u64::BITS - (at_ms ^ self.now_ms).leading_zeros();
        let level = (differs.saturating_sub(1) / LEVEL_BITS) as usize;
        let list = if level < LEVELS {
            let slot = slot(at_ms, level);
            self.levels[level].mark(slot, true);
            &mut self.levels[level].slots[slot]
        } else {
            &mut self.beyond
        };
        match list.last {
            NONE => list.first = entry,
            last => self.pool[last as usize].next = entry,
        }
        list.last = entry;
    }

    /// The first event of a slot of the lowest level.
    fn take(&mut self, slot: usize) -> Option<E> {
        let level = &mut self.levels[0];
        let first = level.slots[slot].first;
        let entry = &mut self.pool[first as usize];
        level.slots[slot].first = entry.next;
        if entry.next == NONE {
            level.slots[slot].last = NONE;
            level.mark(slot, false);
        }
        entry.next = self.free;
        self.free = first;
        self.len -= 1;
        entry.event.take()
    }

    fn entry(&mut self, at_ms: u64, event: E) -> u32 {
        let entry = Entry { at_ms, event: Some(event), next: NONE };
        match self.free {
            NONE => {
                let place = u32::try_from(self.pool.len()).unwrap_or(NONE);
                assert!(place != NONE, "no run has four thousand million events waiting");
                self.pool.push(entry);
                place
            }
            place => {
                let old = std::mem::replace(&mut self.pool[place as usize], entry);
                self.free = old.next;
                place
            }
        }
    }
}

impl Level {
    fn mark(&mut self, slot: usize, busy: bool) {
        let bit = 1 << (slot % 64);
        if busy {
            self.busy[slot / 64] |= bit;
        } else {
            self.busy[slot / 64] &= !bit;
        }
    }

    /// The first slot from `from` on that has events.
    fn next(&self, from: usize) -> Option<usize> {
        let mut word = from / 64;
        let mut bits = self.busy.get(word)? & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            bits = *self.busy.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

impl List {
    const EMPTY: Self = Self { first: NONE, last: NONE };
}

/// The slot of an instant at a level.
fn slot(at_ms: u64, level: usize) -> usize {
    (at_ms >> (LEVEL_BITS * level as u32)) as usize % SLOTS
}

/// The bits that `levels` levels tell apart.
fn mask(levels: usize) -> u64 {
    (1 << (LEVEL_BITS * levels as u32)) - 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{cmp::Reverse, collections::BinaryHeap};

    use proptest::prelude::*;

    use super::*;

    /// What the wheel must equal: a heap by instant and number.
    #[derive(Default)]
    struct Model {
        heap: BinaryHeap<Reverse<(u64, u32)>>,
        number: u32,
    }

    impl Model {
        fn push(&mut self, at_ms: u64) -> u32 {
            self.number += 1;
            self.heap.push(Reverse((at_ms, self.number)));
            self.number
        }

        fn pop(&mut self, until_ms: u64) -> Option<(u64, u32)> {
            (self.heap.peek()?.0.0 <= until_ms).then(|| self.heap.pop().unwrap().0)
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push { ahead_ms: u64 },
        Pop { ahead_ms: u64 },
    }

    /// Ahead by nothing, by a little, by a level's edge, by days, by more than the levels reach.
    fn ahead() -> impl Strategy<Value = u64> {
        prop_oneof![
            3 => Just(0),
            4 => 0..5_u64,
            4 => 0..400_u64,
            2 => 1_000..1_100_u64,
            2 => 0..5_000_000_u64,
            1 => 0..3_000_000_000_u64,
            1 => (1_u64 << 30) - 2..(1 << 30) + 2,
            1 => 0..1_u64 << 40,
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            ahead().prop_map(|ahead_ms| Step::Push { ahead_ms }),
            ahead().prop_map(|ahead_ms| Step::Pop { ahead_ms }),
        ]
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_heap(steps in prop::collection::vec(step(), 1..400)) {
            let (mut wheel, mut model, mut now_ms) = (Wheel::default(), Model::default(), 0);
            for step in steps {
                match step {
                    Step::Push { ahead_ms } => {
                        let number = model.push(now_ms + ahead_ms);
                        wheel.push(now_ms + ahead_ms, number);
                    }
                    Step::Pop { ahead_ms } => {
                        let popped = wheel.pop(now_ms + ahead_ms);
                        prop_assert_eq!(popped, model.pop(now_ms + ahead_ms));
                        now_ms = popped.map_or(now_ms + ahead_ms, |(at_ms, _)| at_ms);
                    }
                }
                prop_assert_eq!(wheel.len(), model.heap.len());
            }
            while let Some(popped) = wheel.pop(u64::MAX) {
                prop_assert_eq!(Some(popped), model.pop(u64::MAX));
            }
            prop_assert!(model.heap.is_empty() && wheel.is_empty());
        }
    }

    #[test]
    fn what_is_late_happens_now_and_entries_are_used_again() {
        let mut wheel = Wheel::default();
        wheel.push(10, 'a');
        wheel.push(10, 'b');
        assert_eq!(wheel.pop(9), None);
        assert_eq!(wheel.pop(10), Some((10, 'a')));
        wheel.push(3, 'c');
        assert_eq!(wheel.pop(10), Some((10, 'b')));
        assert_eq!(wheel.pop(10), Some((10, 'c')));
        let bytes = wheel.bytes();
        for at_ms in 0..100_000 {
            wheel.push(at_ms, 'd');
            assert!(wheel.pop(u64::MAX).is_some());
        }
        assert_eq!(wheel.bytes(), bytes);
    }
}
