//! A run: the events and what each does.

use super::{
    churn::Turns,
    look_up::LookUp,
    nodes::Nodes,
    outcome::{End, Memory, Messages, Outcome, Received, Record},
    settings::{Behaviour, Latency, Settings, Unfit},
    tables::Tables,
    trace::Trace,
};
use crate::{
    streams::{Draws, Purpose},
    wheel::Wheel,
};

/// A run of the overlay. Between two steps it can be shown, dropped, or asked for what it has come to.
pub struct Run {
    settings: Settings,
    seed: u64,
    places: Purpose,
    now_ms: u64,
    nodes: Nodes,
    tables: Tables,
    turns: Option<Turns>,
    handled: Vec<Received>,
    wheel: Wheel<Event>,
    look_ups: Vec<LookUp>,
    free: Vec<u32>,
    /// Look-ups of records that messages are under way for.
    open: u32,
    contacts: Vec<u32>,
    serial: u32,
    messages: Messages,
    records: Vec<Record>,
    trace: Trace,
}

/// What will happen. A time-out is scheduled when it is known that the answer will not come in time, which no node knows:
/// the history is the same as with one for each request, with a third fewer events.
#[derive(Clone, Copy)]
enum Event {
    /// The next look-up begins.
    Begin,
    /// A request arrives.
    Request { look_up: u32, serial: u32, to: u32, slot: u8 },
    /// A response arrives.
    Response { look_up: u32, serial: u32, from: u32, slot: u8 },
    /// The time for a response is over.
    Timeout { look_up: u32, serial: u32, slot: u8 },
    /// A node leaves or returns.
    Turn { node: u32 },
}

/// Many wait at once.
const _: () = assert!(size_of::<Event>() <= 24);

impl Run {
    /// A run at its beginning; that of a million nodes takes some seconds to set up.
    pub fn new(settings: &Settings, seed: u64) -> Result<Self, Unfit> {
        settings.validate()?;
        let mut nodes = Nodes::new(settings, seed);
        let turns = settings.churn.map(|churn| Turns::new(churn, seed, &mut nodes));
        let mut run = Self {
            settings: settings.clone(),
            seed,
            places: Purpose::new(seed, "place"),
            now_ms: 0,
            tables: Tables::new(settings, &nodes, seed),
            handled: vec![Received::default(); nodes.len() as usize],
            nodes,
            turns,
            wheel: Wheel::default(),
            look_ups: Vec::new(),
            free: Vec::new(),
            open: 0,
            contacts: Vec::new(),
            serial: 0,
            messages: Messages::default(),
            records: Vec::with_capacity(settings.look_ups as usize),
            trace: Trace::default(),
        };
        run.schedule_beginning(0);
        if let Some(turns) = &run.turns {
            for node in (0..run.nodes.len()).filter(|node| run.nodes.churns(*node)) {
                run.wheel.push(turns.first_ms(&run.nodes, node), Event::Turn { node });
            }
        }
        Ok(run)
    }

    /// Whether all look-ups have begun and ended, and their last messages have arrived.
    pub fn is_over(&self) -> bool {
        self.records.len() == self.settings.look_ups as usize && self.open == 0
    }

    /// Goes on until an instant, in milliseconds, or until all is over, which it then says.
    pub fn step_until(&mut self, until_ms: u64) -> bool {
        self.step(until_ms, u64::MAX)
    }

    /// As [`Self::step_until`], but stops after so many events: for whoever shows progress or can be told to stop.
    pub fn step(&mut self, until_ms: u64, events_max: u64) -> bool {
        let end = self.trace.events().saturating_add(events_max);
        while self.trace.events() < end && !self.is_over() {
            let Some((at_ms, event)) = self.wheel.pop(until_ms) else { break };
            self.now_ms = at_ms;
            self.happen(event);
        }
        self.is_over()
    }

    /// Where it has come to, in milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.trace.events()
    }

    /// How many nodes attack.
    pub fn attackers(&self) -> u32 {
        self.nodes.attackers()
    }

    /// Messages so far.
    pub fn messages(&self) -> Messages {
        self.messages
    }

    /// Look-ups begun so far.
    pub fn begun(&self) -> u32 {
        self.records.len() as u32
    }

    /// What it has come to so far.
    pub fn outcome(&self) -> Outcome {
        let mut handled = vec![0; self.handled.len()];
        let mut handled_bytes = vec![0; self.handled.len()];
        for (node, received) in (0..).zip(&self.handled) {
            let number = self.nodes.number(node) as usize;
            (handled[number], handled_bytes[number]) = (received.messages(), received.bytes());
        }
        Outcome {
            nodes: self.nodes.len(),
            now_ms: self.now_ms,
            events: self.trace.events(),
            messages: self.messages,
            records: self.records.clone(),
            handled,
            handled_bytes,
            contacts_per_node: self.tables.len() as f64 / f64::from(self.nodes.len()),
            memory: self.memory(),
            trace_hash: self.trace.hash(&self.settings, self.seed),
        }
    }

    fn memory(&self) -> Memory {
        let look_ups = self.look_ups.capacity().saturating_sub(self.look_ups.len()) * size_of::<LookUp>();
        Memory {
            nodes: self.nodes.bytes()
                + self.handled.capacity() * size_of::<Received>()
                + self.turns.as_ref().map_or(0, Turns::bytes),
            tables: self.tables.bytes(),
            queue: self.wheel.bytes(),
            look_ups: look_ups
                + self.look_ups.iter().map(LookUp::bytes).sum::<usize>()
                + self.free.capacity() * 4,
            records: self.records.capacity() * size_of::<Record>(),
        }
    }

    fn happen(&mut self, event: Event) {
        let place = match event {
            Event::Begin => return self.begin_next(),
            Event::Turn { node } => return self.turn(node),
            Event::Request { look_up, serial, to, slot } => {
                self.request_arrives(look_up, serial, to, slot);
                look_up
            }
            Event::Response { look_up, serial, from, slot } => {
                self.response_arrives(look_up, serial, from, slot);
                look_up
            }
            Event::Timeout { look_up, serial, slot } => {
                self.time_is_over(look_up, serial, slot);
                look_up
            }
        };
        self.look_ups[place as usize].pending -= 1;
        self.release(place);
    }

    fn schedule(&mut self, place: u32, at_ms: u64, event: Event) {
        self.look_ups[place as usize].pending += 1;
        self.wheel.push(at_ms, event);
    }

    fn schedule_beginning(&mut self, number: u32) {
        if number == self.settings.look_ups {
            return;
        }
        // An instant in its own part of the duration.
        let (duration, parts) = (self.settings.duration_ms, u64::from(self.settings.look_ups));
        let part = |n: u64| (u128::from(duration) * u128::from(n) / u128::from(parts)) as u64;
        let (from, to) = (part(number.into()), part(u64::from(number) + 1));
        let offset = self.draws_of(number).bits() % (to - from).max(1);
        self.wheel.push(from + offset, Event::Begin);
    }

    fn draws_of(&self, number: u32) -> Draws {
        Purpose::new(self.seed, "look-up").of(number)
    }

    fn begin_next(&mut self) {
        let number = self.records.len() as u32;
        self.schedule_beginning(number + 1);
        let mut draws = self.draws_of(number);
        draws.bits();
        let from = self.nodes.draw(&mut draws);
        let target = from.and_then(|from| {
            let others = std::iter::repeat_with(|| self.nodes.draw(&mut draws)).take(100);
            others.flatten().find(|target| *target != from)
        });
        let mut record = Record { began_ms: self.now_ms, ..Record::default() };
        let (Some(from), Some(target)) = (from, target) else {
            record.end = End::Abandoned;
            self.records.push(record);
            self.trace.note(self.now_ms, 0, number, u32::MAX, u32::MAX);
            return;
        };
        (record.from, record.target) = (self.nodes.number(from), self.nodes.number(target));
        self.trace.note(self.now_ms, 0, number, record.from, record.target);
        self.records.push(record);
        self.begin(from, target, draws, Some(number));
    }

    fn turn(&mut self, node: u32) {
        let Some(turns) = &mut self.turns else { return };
        let lasts_ms = turns.next_ms(&mut self.nodes, node);
        self.wheel.push(self.now_ms + lasts_ms, Event::Turn { node });
        let online = self.nodes.is_online(node);
        self.trace.note(self.now_ms, 4, u32::from(online), node, node);
        if !online {
            let look_ups = (0..).zip(&self.look_ups);
            let own = look_ups.filter(|(_, look_up)| look_up.from == node && !look_up.ended);
            for place in own.map(|(place, _)| place).collect::<Vec<u32>>() {
                self.end(place, End::Abandoned, 0);
            }
        } else if let Some(draws) = turns.rejoin(&self.nodes, node) {
            self.begin(node, node, draws, None);
        }
    }

    fn begin(&mut self, from: u32, target: u32, draws: Draws, record: Option<u32>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.look_ups.push(LookUp::new(&self.settings, draws));
            self.look_ups.len() as u32 - 1
        });
        let look_up = &mut self.look_ups[place as usize];
        (look_up.from, look_up.target, look_up.record) = (from, target, record);
        (look_up.key, look_up.began_ms, look_up.draws) = (self.nodes.id(target), self.now_ms, draws);
        self.contacts.clear();
        let known = look_up.known_at_first();
        self.tables.nearest(&self.nodes, from, look_up.key, from, known, &mut self.contacts);
        look_up.begin(&self.contacts, |node| self.nodes.id(node));
        self.open += u32::from(record.is_some());
        self.go_on(place);
        self.release(place);
    }

    /// A look-up that has ended can be used again when no event names it.
    fn release(&mut self, place: u32) {
        let look_up = &self.look_ups[place as usize];
        if look_up.ended && look_up.pending == 0 {
            self.open -= u32::from(look_up.record.is_some());
            self.free.push(place);
        }
    }

    /// Asks whom there is to ask, or ends.
    fn go_on(&mut self, place: u32) {
        while let Some(slot) = self.look_ups[place as usize].next() {
            self.send(place, slot);
        }
        if self.look_ups[place as usize].is_over() {
            let result = self.look_ups[place as usize].result();
            self.end(place, if result.found { End::Found } else { End::Missed }, result.hops);
        }
    }

    fn end(&mut self, place: u32, end: End, hops: u8) {
        let look_up = &mut self.look_ups[place as usize];
        look_up.ended = true;
        if let Some(record) = look_up.record {
            let record = &mut self.records[record as usize];
            record.latency_ms = u32::try_from(self.now_ms - look_up.began_ms).unwrap_or(u32::MAX);
            (record.requests, record.timeouts) = (look_up.requests, look_up.timeouts);
            (record.hops, record.end) = (hops, end);
        }
    }

    fn send(&mut self, place: u32, slot: usize) {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let look_up = &mut self.look_ups[place as usize];
        let to = look_up.slots[slot].node;
        (look_up.slots[slot].serial, look_up.slots[slot].sent_ms) = (serial, self.now_ms);
        let from = look_up.from;
        let (lost, takes_ms) = self.travel(place, from, to);
        let look_up = &self.look_ups[place as usize];
        self.messages.requests += 1;
        self.messages.upkeep += u64::from(look_up.record.is_none());
        self.messages.lost += u64::from(lost);
        if lost || takes_ms >= self.settings.timeout_ms {
            self.time_out(place, serial, slot as u8, self.now_ms);
        }
        if !lost {
            let request = Event::Request { look_up: place, serial, to, slot: slot as u8 };
            self.schedule(place, self.now_ms + takes_ms, request);
        }
    }

    /// Whether a message of a look-up is lost between two nodes, and how long it takes otherwise, in milliseconds.
    fn travel(&mut self, look_up: u32, from: u32, to: u32) -> (bool, u64) {
        let draws = &mut self.look_ups[look_up as usize].draws;
        let lost = draws.permille(self.settings.loss_permille);
        match &self.settings.latency {
            Latency::Uniform { min_ms, max_ms } => {
                (lost, u64::from(min_ms + draws.below((max_ms - min_ms).saturating_add(1))))
            }
            Latency::Table(table) => {
                let (from, to) = (self.nodes.number(from), self.nodes.number(to));
                let takes_ms = table.travel_ms(self.places, from, to, draws);
                (lost || takes_ms.is_none(), takes_ms.unwrap_or(0))
            }
        }
    }

    fn time_out(&mut self, look_up: u32, serial: u32, slot: u8, sent_ms: u64) {
        let event = Event::Timeout { look_up, serial, slot };
        self.schedule(look_up, sent_ms + self.settings.timeout_ms, event);
    }

    fn request_arrives(&mut self, place: u32, serial: u32, to: u32, slot: u8) {
        let look_up = &mut self.look_ups[place as usize];
        let (from, key) = (look_up.from, look_up.key);
        let waits = look_up.awaits(slot.into(), serial);
        let sent_ms = look_up.slots[usize::from(slot)].sent_ms;
        let ends_ms = sent_ms + self.settings.timeout_ms;
        self.trace.note(self.now_ms, 1, serial, from, to);
        let attack = self.settings.attack.filter(|_| self.nodes.is_attacker(to));
        let drops = attack.is_some_and(|attack| attack.behaviour == Behaviour::Drop);
        let there = self.nodes.is_online(to);
        if there {
            self.handled[to as usize].requests += 1;
        }
        if !there || drops {
            self.messages.undelivered += u64::from(!there);
            self.messages.dropped += u64::from(there);
            if waits {
                self.time_out(place, serial, slot, sent_ms);
            }
            return;
        }
        if waits {
            let answer = look_up.answer(slot.into());
            answer.clear();
            if attack.is_some() {
                self.nodes.attackers_near(key, self.settings.k as usize, answer);
            } else {
                let count = self.settings.k as usize;
                self.tables.nearest(&self.nodes, to, key, from, count, answer);
            }
            self.messages.contacts += answer.len() as u64;
        }
        if self.settings.learn {
            self.tables.add(&self.nodes, to, from);
        }
        let (lost, takes_ms) = self.travel(place, to, from);
        self.messages.responses += 1;
        self.messages.lost += u64::from(lost);
        if waits && (lost || self.now_ms + takes_ms >= ends_ms) {
            self.time_out(place, serial, slot, sent_ms);
        }
        if !lost {
            let response = Event::Response { look_up: place, serial, from: to, slot };
            self.schedule(place, self.now_ms + takes_ms, response);
        }
    }

    fn response_arrives(&mut self, place: u32, serial: u32, responder: u32, slot: u8) {
        let look_up = &mut self.look_ups[place as usize];
        let from = look_up.from;
        self.trace.note(self.now_ms, 2, serial, responder, from);
        if !self.nodes.is_online(from) {
            self.messages.undelivered += 1;
            return;
        }
        let received = &mut self.handled[from as usize];
        received.responses += 1;
        if look_up.awaits(slot.into(), serial) {
            received.contacts += look_up.answer(slot.into()).len() as u32;
        }
        if self.settings.learn {
            self.tables.add(&self.nodes, from, responder);
        }
        if look_up.awaits(slot.into(), serial) {
            look_up.answered(slot.into(), |node| self.nodes.id(node));
            self.go_on(place);
        } else {
            self.messages.late += 1;
        }
    }

    fn time_is_over(&mut self, place: u32, serial: u32, slot: u8) {
        let look_up = &mut self.look_ups[place as usize];
        if !look_up.awaits(slot.into(), serial) {
            return;
        }
        let (from, silent) = (look_up.from, look_up.slots[usize::from(slot)].node);
        self.trace.note(self.now_ms, 3, serial, from, silent);
        look_up.failed(slot.into(), |node| self.nodes.id(node));
        if self.settings.learn {
            self.tables.remove(&self.nodes, from, silent);
        }
        self.go_on(place);
    }
}
