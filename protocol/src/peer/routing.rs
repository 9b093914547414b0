//! Asking cells: which of them a query needs, where they are, and when enough of each has answered.
//!
//! Of each cell both halves are asked, one node each, of different groups of addresses, and the answers compared. A node that
//! refuses is replaced by the next nearest at once, one that is silent after [`HEDGE_MS`]. Where a cell is split, its parts are
//! asked too: first those that both halves name, then those of one alone, within [`SEARCH_CELLS_MAX`] cells.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    CommandId, Contact, Failure, Lent, Peer, Pending, contact::Reach, coverage::CellCoverage,
    look_ups::LookUp, search::Search,
};
use crate::{
    cell::{Cell, Epoch, Half, Path},
    key::PublicKey,
    limits::{LEADS_MAX, ROUTE_MS, ROUTES_MAX, SEARCH_CELLS_MAX, SEARCH_TRIES_MAX},
    message::{Leads, Replica, Request, Response},
    skill::SkillId,
    time::Timestamp,
};

/// How long a node is waited for before the next nearest is asked as well.
pub(super) const HEDGE_MS: u64 = 1000;

/// Where cells were found lately.
#[derive(Default)]
pub(super) struct Routes {
    known: BTreeMap<Cell, (Timestamp, Vec<Contact>)>,
}

impl Routes {
    fn learn(&mut self, cell: &Cell, nodes: &[Contact], now: Timestamp) {
        if self.known.len() >= ROUTES_MAX {
            self.known.retain(|_, (until, _)| now < *until);
        }
        if self.known.len() < ROUTES_MAX && !nodes.is_empty() {
            self.known.insert(cell.clone(), (now.plus_ms(ROUTE_MS), nodes.to_vec()));
        }
    }

    fn to(&self, cell: &Cell, now: Timestamp) -> Option<&[Contact]> {
        self.known.get(cell).filter(|(until, _)| now < *until).map(|(_, nodes)| nodes.as_slice())
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
}

/// One half of a cell that is asked.
struct Probe {
    cell: Cell,
    candidates: VecDeque<Contact>,
    /// The candidates were remembered from another search, and may be gone.
    from_memory: bool,
    is_looking: bool,
    /// Who was asked and has not answered, and when the next one is asked as well.
    asked: Vec<(Contact, Timestamp)>,
    tries: usize,
    answers: Vec<Answer>,
    is_over: bool,
    /// It was asked again since its answer differed from the other half's.
    is_compared: bool,
}

struct Answer {
    contact: Contact,
    count: u32,
    parts: Vec<Path>,
    matched: usize,
    views: BTreeSet<PublicKey>,
}

impl Probe {
    fn wait_until(&self) -> Option<Timestamp> {
        let waits = !self.is_over && !self.candidates.is_empty() && self.tries < SEARCH_TRIES_MAX;
        self.asked.iter().map(|(_, until)| *until).max().filter(|_| waits)
    }
}

impl Routing {
    /// Whether no cell can still answer.
    pub fn is_over(&self) -> bool {
        self.probes.iter().all(|probe| probe.is_over)
    }

    /// When a silent node is given up for the next.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.probes.iter().filter_map(Probe::wait_until).min()
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
            coverage.requests += pair.iter().map(|probe| probe.tries).sum::<usize>();
            match pair.map(|probe| probe.answers.first()) {
                [None, None] => coverage.unreached.push(name.clone()),
                [Some(one), Some(other)] => {
                    coverage.answered += 1;
                    coverage.compared += 1;
                    coverage.differing += usize::from(one.views != other.views);
                    missing = missing.zip(one.missing_beside(other)).map(|(sum, more)| sum + more);
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

impl Answer {
    /// How many neither of two answers has, if each misses people by chance (the estimate of Lincoln and Petersen, as used for
    /// animals that are caught twice); `None` where they have nobody in common.
    fn missing_beside(&self, other: &Answer) -> Option<usize> {
        let both = self.views.intersection(&other.views).count();
        let (only_here, only_there) = (self.views.len() - both, other.views.len() - both);
        match only_here * only_there {
            0 => Some(0),
            product => product.checked_div(both).map(|missing| missing + usize::from(product % both > 0)),
        }
    }

    fn differs_from(&self, other: &Answer) -> bool {
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
            let known = self.routes.to(&cell, now).map(<[Contact]>::to_vec);
            search.routing.probes.push(Probe {
                is_looking: known.is_none(),
                from_memory: known.is_some(),
                candidates: known.clone().unwrap_or_default().into(),
                cell: cell.clone(),
                asked: Vec::new(),
                tries: 0,
                answers: Vec::new(),
                is_over: false,
                is_compared: false,
            });
            match known {
                Some(_) => self.ask_probe(now, id, search, probe),
                None => self.look_up(&cell, Reach::Network, LookUp::Seek { search: id, probe }),
            }
        }
    }

    /// The nodes nearest to a cell are known.
    pub(super) fn found_cell(&mut self, now: Timestamp, id: CommandId, probe: usize, nodes: &[Contact]) {
        let Some(mut search) = self.searches.remove(&id) else { return };
        if let Some(one) = search.routing.probes.get_mut(probe) {
            one.is_looking = false;
            let own = &self.identity.node_id;
            one.candidates = nodes.iter().filter(|contact| contact.node != *own).cloned().collect();
            self.routes.learn(&one.cell, nodes, now);
            self.ask_probe(now, id, &mut search, probe);
        }
        self.searches.insert(id, search);
    }

    /// Asks the nearest node of one half of a cell that has not been asked, and is not likely the other half's.
    fn ask_probe(&mut self, now: Timestamp, id: CommandId, search: &mut Search, probe: usize) {
        let other = search.routing.probes.get(probe ^ 1);
        let taken: Vec<Contact> = other
            .into_iter()
            .flat_map(|other| {
                let answered = other.answers.iter().map(|answer| &answer.contact);
                answered.chain(other.asked.iter().map(|(contact, _)| contact))
            })
            .cloned()
            .collect();
        let (query, limit) = (search.specification.query.clone(), search.leads_limit());
        let Some(one) = search.routing.probes.get_mut(probe) else { return };
        let is_free = |contact: &Contact| {
            !taken.iter().any(|t| t.node == contact.node || t.group.is_shared_with(contact.group))
        };
        // In a small network the same node may be nearest to both halves; better asked once more than not at all.
        let at = one.candidates.iter().position(is_free).or(if one.candidates.is_empty() {
            None
        } else {
            Some(0)
        });
        let next = at.filter(|_| one.tries < SEARCH_TRIES_MAX).and_then(|at| one.candidates.remove(at));
        let Some(contact) = next else {
            if one.from_memory && one.answers.is_empty() && one.asked.is_empty() {
                // Everybody who was remembered is gone: looked up anew, once.
                (one.from_memory, one.is_looking, one.tries) = (false, true, 0);
                let cell = one.cell.clone();
                self.look_up(&cell, Reach::Network, LookUp::Seek { search: id, probe });
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
            Pending::Seek(Asked { search: id, probe, contact, skip: 0 }),
        );
    }

    /// Asks the next nearest where somebody has been silent for long.
    pub(super) fn hedge(&mut self, now: Timestamp, id: CommandId) {
        let is_late = |probe: &Probe| probe.wait_until().is_some_and(|until| until <= now);
        let Some(search) = self.searches.get(&id) else { return };
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
            self.take_answer(now, &mut search, asked, response, lent);
        }
        self.searches.insert(id, search);
    }

    fn take_answer(
        &mut self,
        now: Timestamp,
        search: &mut Search,
        asked: Asked,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        let Asked { search: id, probe, contact, skip } = asked;
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
                Pending::Seek(Asked { search: id, probe, contact, skip }),
            );
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
    let (here, there) = (one.answers.last()?, other.answers.last()?);
    let is_open = here.differs_from(there) && !one.is_compared && !other.is_compared;
    let knows = |answer: &Answer| (answer.count, answer.views.len());
    is_open.then(|| usize::from(knows(here) > knows(there)))
}
