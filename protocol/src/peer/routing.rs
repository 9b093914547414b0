//! Asking cells: which of them a query needs, where they are, and when enough of each has answered.
//!
//! Of each cell both halves are asked, one node each, of different groups of addresses, and the answers compared: any of those that
//! are to keep it, so that it is no use to be the nearest. Another of them in each half is asked how many it would name: if that is
//! more, it is asked for them. Where nodes crowd around a half, more are asked, beside them. A node that
//! refuses is replaced by the next nearest at once, one that is silent after [`HEDGE_MS`]. Where a cell is split, its parts are
//! asked too: first those that both halves name, then those of one alone, within [`SEARCH_CELLS_MAX`] cells.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    CommandId, Contact, Failure, Lent, Peer, Pending,
    contact::Reach,
    coverage::CellCoverage,
    crowding::{Crowd, Neighbourhood},
    look_ups::LookUp,
    search::Search,
};
use crate::{
    cell::{Cell, Epoch, Half, Path},
    key::PublicKey,
    limits::{
        CELL_REPLICAS, CROWD_ANSWERS, CROWD_TRIES_MAX, LEADS_MAX, ROUTE_MS, ROUTES_MAX, SEARCH_CELLS_MAX,
        SEARCH_TRIES_MAX,
    },
    message::{Leads, Replica, Request, Response},
    skill::SkillId,
    time::Timestamp,
};

/// How long a node is waited for before the next nearest is asked as well.
pub(super) const HEDGE_MS: u64 = 1000;

/// Where cells were found lately.
#[derive(Default)]
pub(super) struct Routes {
    known: BTreeMap<Cell, (Timestamp, Neighbourhood)>,
}

impl Routes {
    fn learn(&mut self, cell: &Cell, found: Neighbourhood, now: Timestamp) {
        if self.known.len() >= ROUTES_MAX {
            self.known.retain(|_, (until, _)| now < *until);
        }
        if self.known.len() < ROUTES_MAX && !found.nearest.is_empty() {
            self.known.insert(cell.clone(), (now.plus_ms(ROUTE_MS), found));
        }
    }

    fn to(&self, cell: &Cell, now: Timestamp) -> Option<&Neighbourhood> {
        self.known.get(cell).filter(|(until, _)| now < *until).map(|(_, found)| found)
    }
}

/// What one search asks of cells.
#[derive(Default)]
pub(super) struct Routing {
    probes: Vec<Probe>,
    /// Where the probes of a cell's two halves begin.
    cells: BTreeMap<(SkillId, Path), usize>,
    /// Cells that were not asked since there were too many.
    cut: usize,
    country: Option<String>,
    /// Nothing but filters of claims is left of a query, or the node keeps everything.
    is_used: bool,
}

/// A request about one half of a cell.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub search: CommandId,
    probe: usize,
    contact: Contact,
    /// How many of its leads were had before.
    skip: u16,
    /// It is to say how many match, and to name nobody.
    is_witness: bool,
}

/// One half of a cell that is asked.
struct Probe {
    cell: Cell,
    candidates: VecDeque<Contact>,
    /// How many are to answer; more than one where nodes crowd around it.
    wanted: usize,
    crowd: Crowd,
    witness: Witness,
    /// How many witnesses were asked.
    witnesses: usize,
    /// The candidates were remembered from another search, and may be gone.
    from_memory: bool,
    /// Who was asked and has not answered, and when the next one is asked as well.
    asked: Vec<(Contact, Timestamp)>,
    tries: usize,
    answers: Vec<Answer>,
    is_over: bool,
    /// It was asked again since its answer differed from the other half's.
    is_compared: bool,
}

/// Another node that is to keep the cell, beside the one whose answer is taken.
enum Witness {
    /// None was asked, or it said nothing, or no more than the other.
    None,
    /// It has not answered, and is waited for so long.
    Asked(Timestamp),
    /// How many it would name.
    Says(Contact, usize),
}

struct Answer {
    contact: Contact,
    count: u32,
    parts: Vec<Path>,
    matched: usize,
    views: BTreeSet<PublicKey>,
}

/// What one half says of its cell: one node, or all that answered where nodes crowd.
struct Word<'a> {
    count: u32,
    matched: usize,
    views: BTreeSet<&'a PublicKey>,
}

impl Probe {
    fn is_crowded(&self) -> bool {
        self.wanted > 1
    }

    fn tries_max(&self) -> usize {
        if self.is_crowded() { CROWD_TRIES_MAX } else { SEARCH_TRIES_MAX }
    }

    /// What was said before the halves were compared.
    fn first_word(&self) -> Option<Word<'_>> {
        Word::of(if self.is_crowded() { &self.answers } else { self.answers.get(..1)? })
    }

    /// What was said last.
    fn last_word(&self) -> Option<Word<'_>> {
        let from = if self.is_crowded() { 0 } else { self.answers.len().checked_sub(1)? };
        Word::of(self.answers.get(from..)?)
    }

    /// Whether it is over, and its witness has been heard or was waited for.
    fn is_settled(&self) -> bool {
        self.is_over && !matches!(self.witness, Witness::Asked(_))
    }

    fn witness_until(&self) -> Option<Timestamp> {
        match self.witness {
            Witness::Asked(until) => Some(until),
            Witness::None | Witness::Says(..) => None,
        }
    }

    fn wait_until(&self) -> Option<Timestamp> {
        let waits = !self.is_over && !self.candidates.is_empty() && self.tries < self.tries_max();
        self.asked.iter().map(|(_, until)| *until).max().filter(|_| waits)
    }
}

impl Routing {
    /// Whether no cell can still answer.
    pub fn is_over(&self) -> bool {
        self.probes.iter().all(Probe::is_settled)
    }

    /// When a silent node is given up for the next.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.probes.iter().flat_map(|probe| probe.wait_until().into_iter().chain(probe.witness_until())).min()
    }

    fn pairs(&self) -> impl Iterator<Item = (&(SkillId, Path), [&Probe; 2])> {
        self.cells
            .iter()
            .filter_map(|(name, first)| Some((name, [self.probes.get(*first)?, self.probes.get(first + 1)?])))
    }

    /// Nodes that were asked and have not answered.
    pub fn silent(&self) -> usize {
        self.probes.iter().map(|probe| probe.asked.len()).sum()
    }

    /// Whether cells were to be asked and none answered.
    pub fn has_failed(&self) -> bool {
        self.is_used && self.probes.iter().all(|probe| probe.answers.is_empty())
    }

    /// What was reached.
    pub fn coverage(&self) -> Option<CellCoverage> {
        if !self.is_used {
            return None;
        }
        let mut coverage = CellCoverage { cut: self.cut, ..CellCoverage::default() };
        let mut missing: Option<usize> = Some(0);
        for (name, pair) in self.pairs() {
            coverage.asked += 1;
            coverage.requests += pair.iter().map(|probe| probe.tries + probe.witnesses).sum::<usize>();
            coverage.crowded += usize::from(pair.iter().any(|probe| probe.crowd == Crowd::Evident));
            match pair.map(Probe::first_word) {
                [None, None] => coverage.unreached.push(name.clone()),
                [Some(one), Some(other)] => {
                    coverage.answered += 1;
                    coverage.compared += 1;
                    coverage.differing += usize::from(one.views != other.views);
                    missing = missing.zip(one.missing_beside(&other)).map(|(sum, more)| sum + more);
                }
                _ => {
                    coverage.answered += 1;
                    missing = None;
                }
            }
        }
        coverage.missing = missing.filter(|_| coverage.unreached.is_empty() && self.cut == 0);
        Some(coverage)
    }
}

impl<'a> Word<'a> {
    fn of(answers: &'a [Answer]) -> Option<Self> {
        Some(Word {
            count: answers.iter().map(|answer| answer.count).max()?,
            matched: answers.iter().map(|answer| answer.matched).max()?,
            views: answers.iter().flat_map(|answer| &answer.views).collect(),
        })
    }

    /// How many neither of two answers has, if each misses people by chance (the estimate of Lincoln and Petersen, as used for
    /// animals that are caught twice); `None` where they have nobody in common.
    fn missing_beside(&self, other: &Word<'_>) -> Option<usize> {
        let both = self.views.intersection(&other.views).count();
        let (only_here, only_there) = (self.views.len() - both, other.views.len() - both);
        match only_here * only_there {
            0 => Some(0),
            product => product.checked_div(both).map(|missing| missing + usize::from(product % both > 0)),
        }
    }

    fn differs_from(&self, other: &Word<'_>) -> bool {
        self.matched != other.matched || self.views != other.views
    }
}

impl Peer {
    /// Asks the cells that a query needs, where the own index is not enough.
    pub(super) fn begin_routing(
        &mut self,
        now: Timestamp,
        id: CommandId,
        search: &mut Search,
        lent: &Lent<'_>,
    ) {
        let query = &search.specification.query;
        if self.replica == Replica::Full {
            return;
        }
        // Without a skill in every alternative no cell has everybody: only nodes that keep everything can answer.
        let Some(skills) = query.covering_skills(|skill| lent.vocabulary.idf(skill)) else { return };
        let skills: Vec<SkillId> = skills.into_iter().cloned().collect();
        search.routing.is_used = true;
        search.routing.country = query.country().map(str::to_owned);
        for skill in skills {
            self.add_cell(now, id, search, skill, Path::ALL);
        }
    }

    fn add_cell(&mut self, now: Timestamp, id: CommandId, search: &mut Search, skill: SkillId, path: Path) {
        let routing = &mut search.routing;
        let name = (skill.clone(), path.clone());
        if routing.cells.contains_key(&name) {
            return;
        }
        if routing.cells.len() >= SEARCH_CELLS_MAX {
            routing.cut += 1;
            return;
        }
        routing.cells.insert(name, routing.probes.len());
        for half in Half::BOTH {
            let cell = Cell { skill: skill.clone(), path: path.clone(), half, epoch: Epoch::of(now) };
            let probe = search.routing.probes.len();
            let known = self.routes.to(&cell, now).cloned();
            search.routing.probes.push(Probe {
                from_memory: known.is_some(),
                candidates: VecDeque::new(),
                wanted: 1,
                crowd: Crowd::None,
                witness: Witness::None,
                witnesses: 0,
                cell: cell.clone(),
                asked: Vec::new(),
                tries: 0,
                answers: Vec::new(),
                is_over: false,
                is_compared: false,
            });
            match known {
                Some(found) => self.begin_probe(now, id, search, probe, &found),
                None => self.look_up(now, &cell, Reach::Network, LookUp::Seek { search: id, probe }),
            }
        }
    }

    /// The nodes nearest to a cell are known.
    pub(super) fn found_cell(&mut self, now: Timestamp, id: CommandId, probe: usize, found: Neighbourhood) {
        let Some(mut search) = self.searches.remove(&id) else { return };
        if let Some(one) = search.routing.probes.get_mut(probe) {
            let cell = one.cell.clone();
            self.begin_probe(now, id, &mut search, probe, &found);
            self.routes.learn(&cell, found, now);
        }
        self.searches.insert(id, search);
    }

    /// Asks one of those that are to keep one half of a cell, and where nodes crowd around it some beside them at once.
    fn begin_probe(
        &mut self,
        now: Timestamp,
        id: CommandId,
        search: &mut Search,
        probe: usize,
        found: &Neighbourhood,
    ) {
        let mut first = Contact::diverse(&found.nearest, &[], CELL_REPLICAS);
        self.shuffle(&mut first);
        let mut found = found.clone();
        self.shuffle_beside(&mut found);
        // One of the crowd is enough before those beside it.
        let later = first.split_off(first.len().min(if found.is_crowded() { 1 } else { CELL_REPLICAS }));
        first.extend(found.beside.iter().cloned().chain(later));
        let Some(one) = search.routing.probes.get_mut(probe) else { return };
        one.candidates = found.beginning_with(&first, &self.identity.node_id);
        one.wanted = if found.is_crowded() { 1 + CROWD_ANSWERS } else { 1 };
        one.crowd = found.crowd;
        for _ in 0..one.wanted {
            self.ask_probe(now, id, search, probe);
        }
        if !found.is_crowded() {
            self.ask_witness(now, id, search, probe);
        }
    }

    /// The next candidate of one half that is not likely of the same party as one that was asked in either; if there is none, `otherwise`.
    fn next_candidate(search: &mut Search, probe: usize, otherwise: Option<usize>) -> Option<Contact> {
        let halves = [probe, probe ^ 1].into_iter().filter_map(|half| search.routing.probes.get(half));
        let taken: Vec<Contact> = halves
            .flat_map(|half| {
                let answered = half.answers.iter().map(|answer| &answer.contact);
                answered.chain(half.asked.iter().map(|(contact, _)| contact))
            })
            .cloned()
            .collect();
        let is_free = |contact: &Contact| {
            !taken.iter().any(|t| t.node == contact.node || t.group.is_shared_with(contact.group))
        };
        let candidates = &mut search.routing.probes.get_mut(probe)?.candidates;
        let at = candidates.iter().position(is_free);
        candidates.remove(at.or(otherwise)?)
    }

    /// Asks another of those that are to keep a half how many it would name.
    fn ask_witness(&mut self, now: Timestamp, id: CommandId, search: &mut Search, probe: usize) {
        let Some(contact) = Self::next_candidate(search, probe, None) else { return };
        let query = search.specification.query.clone();
        let Some(one) = search.routing.probes.get_mut(probe) else { return };
        // It is as good as any other if the first does not answer.
        one.candidates.push_front(contact.clone());
        one.witness = Witness::Asked(now.plus_ms(HEDGE_MS));
        one.witnesses += 1;
        let request = Request::Find { query, limit: 0, skip: 0, cell: Some(Box::new(one.cell.clone())) };
        let asked = Asked { search: id, probe, contact: contact.clone(), skip: 0, is_witness: true };
        self.send(contact.node, &request, Pending::Seek(asked));
    }

    /// Asks a witness for those whom it would name, if they are more than were named.
    fn heed(&mut self, now: Timestamp, search: &mut Search, id: CommandId, probe: usize) -> bool {
        let (query, limit) = (search.specification.query.clone(), search.leads_limit());
        let wanted = search.leads_wanted();
        let Some(one) = search.routing.probes.get_mut(probe) else { return false };
        // Named, and not only counted: a number is said easily.
        let named = one.answers.iter().flat_map(|answer| &answer.views).collect::<BTreeSet<_>>().len();
        let contact = match std::mem::replace(&mut one.witness, Witness::None) {
            Witness::Says(contact, matched) if matched.min(wanted) > named => contact,
            witness => {
                one.witness = witness;
                return false;
            }
        };
        one.candidates.retain(|candidate| candidate.node != contact.node);
        one.is_over = false;
        one.tries += 1;
        search.coverage.asked += 1;
        one.asked.push((contact.clone(), now.plus_ms(HEDGE_MS)));
        let request = Request::Find { query, limit, skip: 0, cell: Some(Box::new(one.cell.clone())) };
        let asked = Asked { search: id, probe, contact: contact.clone(), skip: 0, is_witness: false };
        self.send(contact.node, &request, Pending::Seek(asked));
        true
    }

    /// Asks the next node of one half of a cell that has not been asked, and is not likely of the same party as one that was.
    fn ask_probe(&mut self, now: Timestamp, id: CommandId, search: &mut Search, probe: usize) {
        let (query, limit) = (search.specification.query.clone(), search.leads_limit());
        let may_try = search.routing.probes.get(probe).is_some_and(|one| one.tries < one.tries_max());
        // In a small network the same node may be nearest to both halves; better asked once more than not at all.
        let next = if may_try { Self::next_candidate(search, probe, Some(0)) } else { None };
        let Some(one) = search.routing.probes.get_mut(probe) else { return };
        let Some(contact) = next else {
            if one.from_memory && one.answers.is_empty() && one.asked.is_empty() {
                // Everybody who was remembered is gone: looked up anew, once.
                (one.from_memory, one.tries) = (false, 0);
                let cell = one.cell.clone();
                self.look_up(now, &cell, Reach::Network, LookUp::Seek { search: id, probe });
            } else if one.asked.is_empty() {
                one.is_over = true;
                self.settle_pair(now, id, search, probe);
            }
            return;
        };
        one.tries += 1;
        search.coverage.asked += 1;
        one.asked.push((contact.clone(), now.plus_ms(HEDGE_MS)));
        let cell = Some(Box::new(one.cell.clone()));
        let request = Request::Find { query, limit, skip: 0, cell };
        self.send(
            contact.node.clone(),
            &request,
            Pending::Seek(Asked { search: id, probe, contact, skip: 0, is_witness: false }),
        );
    }

    /// Asks the next nearest where somebody has been silent for long.
    pub(super) fn hedge(&mut self, now: Timestamp, id: CommandId) {
        let is_late = |probe: &Probe| probe.wait_until().is_some_and(|until| until <= now);
        let Some(search) = self.searches.get_mut(&id) else { return };
        for probe in &mut search.routing.probes {
            if probe.witness_until().is_some_and(|until| until <= now) {
                probe.witness = Witness::None;
            }
        }
        let late: Vec<usize> =
            search.routing.probes.iter().enumerate().filter(|(_, p)| is_late(p)).map(|(at, _)| at).collect();
        if late.is_empty() {
            return;
        }
        let Some(mut search) = self.searches.remove(&id) else { return };
        for probe in late {
            self.ask_probe(now, id, &mut search, probe);
        }
        self.searches.insert(id, search);
    }

    /// A node's answer about one half of a cell.
    pub(super) fn sought(
        &mut self,
        now: Timestamp,
        asked: Asked,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        let id = asked.search;
        let Some(mut search) = self.searches.remove(&id) else { return };
        if search.is_gathering() {
            if asked.is_witness {
                self.take_witness(now, &mut search, asked, response);
            } else {
                self.take_answer(now, &mut search, asked, response, lent);
            }
        }
        self.searches.insert(id, search);
    }

    fn take_witness(
        &mut self,
        now: Timestamp,
        search: &mut Search,
        asked: Asked,
        response: Result<Response, Failure>,
    ) {
        let Some(one) = search.routing.probes.get_mut(asked.probe) else { return };
        one.witness = match response {
            Ok(Response::Leads(leads)) if leads.cell.is_some() => {
                Witness::Says(asked.contact, leads.matched as usize)
            }
            _ => Witness::None,
        };
        if one.is_over {
            self.heed(now, search, asked.search, asked.probe);
        }
    }

    fn take_answer(
        &mut self,
        now: Timestamp,
        search: &mut Search,
        asked: Asked,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        let Asked { search: id, probe, contact, skip, .. } = asked;
        let Some(one) = search.routing.probes.get_mut(probe) else { return };
        one.asked.retain(|(asked, _)| asked.node != contact.node);
        let leads = match response {
            Ok(Response::Leads(leads)) if leads.cell.is_some() => leads,
            other => {
                match other {
                    Ok(_) => search.coverage.refused += 1,
                    Err(_) => search.coverage.unreachable += 1,
                }
                if let Some(one) = search.routing.probes.get_mut(probe)
                    && !one.is_over
                {
                    self.ask_probe(now, id, search, probe);
                }
                return;
            }
        };
        let views = self.take_leads(now, search, &leads, lent);
        search.coverage.answered += usize::from(skip == 0);
        search.coverage.largest_index = search.coverage.largest_index.max(leads.held as usize);
        let (query, limit) = (search.specification.query.clone(), search.leads_limit());
        let wanted = search.leads_wanted();
        let Some(one) = search.routing.probes.get_mut(probe) else { return };
        let matched = leads.matched as usize;
        let had = usize::from(skip) + leads.summaries.len();
        let Leads { cell: descriptor, summaries, .. } = leads;
        let descriptor = descriptor.unwrap_or_default();
        match one.answers.iter_mut().find(|answer| answer.contact.node == contact.node) {
            Some(answer) => answer.views.extend(views),
            None => one.answers.push(Answer {
                contact: contact.clone(),
                count: descriptor.count,
                parts: descriptor.parts,
                matched,
                views,
            }),
        }
        // The best of a cell are among the best of each answer, so that as many as are wanted in all are enough of each.
        let skip = u16::try_from(had).ok().filter(|skip| usize::from(*skip) <= crate::limits::FIND_SKIP_MAX);
        if let Some(skip) = skip.filter(|_| had < matched.min(wanted) && !summaries.is_empty()) {
            one.asked.push((contact.clone(), now.plus_ms(HEDGE_MS)));
            let cell = Some(Box::new(one.cell.clone()));
            let limit = limit.max(u16::try_from(LEADS_MAX).unwrap_or(u16::MAX));
            let request = Request::Find { query, limit, skip, cell };
            self.send(
                contact.node.clone(),
                &request,
                Pending::Seek(Asked { search: id, probe, contact, skip, is_witness: false }),
            );
            return;
        }
        if one.answers.len() < one.wanted {
            if one.answers.len() + one.asked.len() < one.wanted {
                self.ask_probe(now, id, search, probe);
            }
            return;
        }
        one.is_over = true;
        self.settle_pair(now, id, search, probe);
    }

    /// When both halves of a cell are over: compares them, and goes on into its parts.
    fn settle_pair(&mut self, now: Timestamp, id: CommandId, search: &mut Search, probe: usize) {
        let first = probe & !1;
        let [Some(one), Some(other)] = [first, first + 1].map(|at| search.routing.probes.get(at)) else {
            return;
        };
        if !one.is_over || !other.is_over {
            return;
        }
        let less = less_informed(one, other);
        let (skill, path) = (one.cell.skill.clone(), one.cell.path.clone());
        let named = |probe: &Probe| -> BTreeSet<Path> {
            let parts = probe.answers.iter().flat_map(|answer| answer.parts.iter().cloned());
            parts.filter(|part| part.is_child_of(&path)).collect()
        };
        let (here, there) = (named(one), named(other));
        let country = search.routing.country.clone();
        let is_asked_for = |part: &&Path| country.is_none() || part.country() == country.as_deref();
        let agreed = here.intersection(&there).cloned().collect::<Vec<Path>>();
        let single = here.symmetric_difference(&there).cloned().collect::<Vec<Path>>();
        let parts: Vec<Path> = agreed.iter().chain(&single).filter(is_asked_for).cloned().collect();
        for part in parts {
            self.add_cell(now, id, search, skill.clone(), part);
        }
        if self.heed(now, search, id, first) | self.heed(now, search, id, first + 1) {
            return;
        }
        // Somebody lacks or hides something: the half that knows less is asked once more, elsewhere. The parts do not wait for it.
        if let Some(less) = less {
            let less = first + less;
            if let Some(one) = search.routing.probes.get_mut(less) {
                (one.is_compared, one.is_over) = (true, false);
            }
            self.ask_probe(now, id, search, less);
        }
    }
}

/// Which of the two halves of a cell knows less, when their answers differ and neither was asked again before.
fn less_informed(one: &Probe, other: &Probe) -> Option<usize> {
    let (here, there) = (one.last_word()?, other.last_word()?);
    let is_open = here.differs_from(&there) && !one.is_compared && !other.is_compared;
    let knows = |word: &Word<'_>| (word.views.len(), word.count);
    is_open.then(|| usize::from(knows(&here) > knows(&there)))
}
