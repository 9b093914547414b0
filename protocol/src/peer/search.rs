//! Search: leads from the own index and from connected nodes, then presentations from the holders, then the rank.
//!
//! Two phases. *Gathering* ends when every node asked has answered, or at half the deadline; where the own index is a full one, also
//! when no answer has come for a second, since those who are silent could hardly add to it. *Proving* asks the best
//! leads, by their stated claims, for presentations where their consent says *anyone*; it ends when all have answered, or at
//! the deadline. Only then are claims counted: what was proven as proven, everything else as the holder's word. A
//! candidate who matched as stated but not as proven is not dropped in silence: it is listed as withheld, with the reason.
//!
//! What a verification lacks, of a presentation or of a published proof, is to be obtained ([`Output::Obtain`]), within bounds
//! for the search and for each holder, since holders choose what their credentials make needed.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::Rng;

use super::{
    CommandId, Coverage, Failure, Lent, Output, Peer, Pending, Reply,
    admission::Source,
    catalogue::Holding,
    party::Party,
    routing::{HEDGE_MS, Routing},
};
use crate::{
    consent::Present,
    credential::Need,
    id::{Id, NodeId},
    inquiry::{Disclosure, Inquiry, InquiryError, Nonce, Proven, Undertaking},
    key::{Did, PublicKey, SecretKey},
    limits::{
        LEADS_MAX, SEARCH_DEADLINE_MAX_MS, SEARCH_INQUIRIES_MAX, SEARCH_LEADS_MAX, SEARCH_NEEDS_MAX,
        SEARCH_NEEDS_PER_HOLDER_MAX, SEARCH_PEERS_MAX, SEARCHES_MAX,
    },
    message::{Envelope, Item, Leads, Replica, Request, Response},
    published::{ProofState, Published},
    query::{Query, Requirement},
    ranking::{self, Recognition, Score, ScoreStatement, Standing, WEIGHTS_VERSION},
    signed::{self, Signed},
    skill::{SkillId, Tier},
    summary::Summary,
    time::Timestamp,
};

/// What a seeker asks.
#[derive(Clone, Debug)]
pub struct Specification {
    /// The query, names resolved.
    pub query: Query,
    /// At most so many results.
    pub top: usize,
    /// How long the whole may take, in milliseconds.
    pub deadline_ms: u64,
    /// What the seeker undertakes towards the holders asked.
    pub undertaking: Undertaking,
}

/// Why a search was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// Too many at once.
    #[error("{SEARCHES_MAX} searches are running; wait for one to end")]
    Busy,
    /// The deadline is out of bounds.
    #[error("a deadline lasts from 1 millisecond to {} seconds", SEARCH_DEADLINE_MAX_MS / 1000)]
    Deadline,
    /// The undertaking is out of bounds.
    #[error(transparent)]
    Inquiry(#[from] InquiryError),
}

/// The end of a search.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was asked.
    pub query: Query,
    /// Candidates, best first.
    pub results: Vec<Found>,
    /// Candidates who matched as stated and not as proven.
    pub withheld: Vec<Withheld>,
    /// What was reached.
    pub coverage: Coverage,
    /// From command to end.
    pub elapsed_ms: u64,
}

/// One candidate.
#[derive(Clone, Debug)]
pub struct Found {
    /// What the holder published.
    pub summary: Signed<Summary>,
    /// The person, when a presentation named one.
    pub holder: Option<Did>,
    /// Claims as they count.
    pub standing: Vec<Standing>,
    /// How the request for a presentation ended.
    pub proof: Proof,
    /// What the proofs in the summary come to.
    pub published: Published,
    /// The score and why.
    pub score: Score,
    /// Whether every skill that earned points was proven, in a presentation to us or by a published proof, which shows who
    /// held it when it was published.
    pub verified: bool,
    /// Whether, besides, every issuer is on the seeker's trust list.
    pub recognised: bool,
    /// The seeker's signed word on the score.
    pub statement: Signed<ScoreStatement>,
}

/// How the request for a presentation ended.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A presentation bound to our inquiry came and verified; single checks may still fail.
    Presented(Box<Proven>),
    /// None was asked for.
    NotAsked(&'static str),
    /// None came in time, or the holder has to decide first.
    Awaited(&'static str),
    /// What came was refused.
    Refused(String),
}

/// A candidate who is not among the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The pseudonym.
    pub view: PublicKey,
    /// Why.
    pub reason: String,
}

struct Lead {
    summary: Signed<Summary>,
    inquiry: Option<Signed<Inquiry>>,
    proof: Proof,
    /// An answer that could be verified further with what is being obtained.
    lacking: Option<Box<Disclosure>>,
    /// Whether the published proofs could be, too.
    open_proofs: bool,
    /// How many things may still be obtained for this holder.
    needs_left: usize,
}

/// Whether something that a search lacks is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lack {
    Awaited,
    Past,
}

enum Phase {
    Gathering { until: Timestamp },
    Proving,
}

/// A search that is running.
pub(super) struct Search {
    pub specification: Specification,
    started: Timestamp,
    deadline: Timestamp,
    phase: Phase,
    waiting: usize,
    leads: BTreeMap<PublicKey, Lead>,
    /// Summaries that came up, by id: those that come again need not be verified again.
    known: BTreeMap<Id, PublicKey>,
    pub coverage: Coverage,
    pub routing: Routing,
    has_asked_connected: bool,
    /// When those connected who have not answered are given up; never where the own index is no full one.
    silent_at: Option<Timestamp>,
    seed: [u8; 32],
    /// What is obtained for this search, each thing once.
    lacks: BTreeMap<Need, Lack>,
}

impl Search {
    pub fn wake_at(&self) -> Timestamp {
        match self.phase {
            Phase::Gathering { until } => {
                let hedges = [self.routing.wake_at(), self.silent_at];
                hedges.into_iter().flatten().fold(until, Timestamp::min)
            }
            Phase::Proving => self.deadline,
        }
    }

    pub fn is_gathering(&self) -> bool {
        matches!(self.phase, Phase::Gathering { .. })
    }

    /// Leads asked for in one request.
    pub fn leads_limit(&self) -> u16 {
        let limit = self.specification.top.saturating_mul(4).clamp(50, LEADS_MAX);
        u16::try_from(limit).unwrap_or(u16::MAX)
    }

    /// Leads that are enough from one place.
    pub fn leads_wanted(&self) -> usize {
        self.specification.top.saturating_mul(2).saturating_add(50).min(SEARCH_LEADS_MAX)
    }

    /// Has what is needed of a holder obtained, as far as it was not before and there is room; says whether any of it is
    /// still to come.
    fn awaits(
        &mut self,
        search: CommandId,
        view: &PublicKey,
        needs: &[Need],
        outputs: &mut Vec<Output>,
    ) -> bool {
        let Some(lead) = self.leads.get_mut(view) else { return false };
        let room = SEARCH_NEEDS_MAX.saturating_sub(self.lacks.len()).min(lead.needs_left);
        let new = needs.iter().filter(|need| !self.lacks.contains_key(need));
        let new: Vec<Need> = new.take(room).cloned().collect();
        if !new.is_empty() {
            lead.needs_left -= new.len();
            self.lacks.extend(new.iter().map(|need| (need.clone(), Lack::Awaited)));
            outputs.push(Output::Obtain { search, needs: new });
        }
        needs.iter().any(|need| self.lacks.get(need) == Some(&Lack::Awaited))
    }

    fn offer(&mut self, summary: Signed<Summary>) {
        let view = summary.body().view();
        if self.known.len() < SEARCH_LEADS_MAX {
            self.known.insert(summary.id(), view);
        }
        let newer =
            self.leads.get(&view).is_none_or(|l| l.summary.body().sequence() < summary.body().sequence());
        if newer && (self.leads.len() < SEARCH_LEADS_MAX || self.leads.contains_key(&view)) {
            let lead = Lead {
                summary,
                inquiry: None,
                proof: Proof::NotAsked("not among the best leads"),
                lacking: None,
                open_proofs: false,
                needs_left: SEARCH_NEEDS_PER_HOLDER_MAX,
            };
            self.leads.insert(view, lead);
        }
    }
}

impl Peer {
    /// Begins a search that was `asked` for at that time, from when on its deadline counts.
    pub(super) fn begin_search(
        &mut self,
        now: Timestamp,
        asked: Timestamp,
        id: CommandId,
        specification: Specification,
        lent: &Lent<'_>,
    ) {
        let mut search = Search {
            phase: Phase::Gathering { until: asked.plus_ms((specification.deadline_ms / 2).max(1)) },
            started: asked,
            deadline: asked.plus_ms(specification.deadline_ms),
            waiting: 0,
            leads: BTreeMap::new(),
            known: BTreeMap::new(),
            has_asked_connected: false,
            silent_at: None,
            coverage: Coverage { held: self.summaries(), replica: self.replica, ..Coverage::default() },
            routing: Routing::default(),
            seed: [0; 32],
            specification,
            lacks: BTreeMap::new(),
        };
        let own = lent.index.nominate(&search.specification.query, search.leads_wanted(), now);
        search.coverage.matched = own.matched;
        own.summaries.into_iter().filter(|s| s.body().is_current(now)).for_each(|s| search.offer(s));
        self.begin_routing(now, id, &mut search, lent);
        if search.routing.is_over() {
            self.ask_connected(now, id, &mut search);
        }
        search.seed = self.random();
        self.searches.insert(id, Box::new(search));
    }

    /// Asks the nodes that are connected, whatever they keep.
    fn ask_connected(&mut self, now: Timestamp, id: CommandId, search: &mut Search) {
        let request = Request::find(search.specification.query.clone(), search.leads_limit());
        search.has_asked_connected = true;
        let mut asked: Vec<NodeId> = self.connected.iter().cloned().collect();
        // Which of too many are asked is chance: an id that sorts first is no advantage.
        while asked.len() > SEARCH_PEERS_MAX {
            let at = self.rng.next_u32() as usize % asked.len();
            asked.swap_remove(at);
        }
        search.coverage.asked += asked.len();
        search.waiting += asked.len();
        search.silent_at = (self.replica == Replica::Full).then(|| now.plus_ms(HEDGE_MS));
        for node in asked {
            self.send(node, &request, Pending::Find { search: id });
        }
    }

    /// Leads from another node. Those we hold are not verified again; new ones are admitted like any other item.
    pub(super) fn leads(
        &mut self,
        now: Timestamp,
        id: CommandId,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        // Who answers after the gathering has been counted as not reached in time.
        if !self.searches.get(&id).is_some_and(|search| search.is_gathering()) {
            return;
        }
        let Some(mut search) = self.searches.remove(&id) else { return };
        search.waiting = search.waiting.saturating_sub(1);
        search.silent_at = search.silent_at.map(|_| now.plus_ms(HEDGE_MS));
        match response {
            Ok(Response::Leads(leads)) => {
                search.coverage.answered += 1;
                search.coverage.largest_index = search.coverage.largest_index.max(leads.held as usize);
                search.coverage.full_replicas += usize::from(leads.replica == Replica::Full);
                self.take_leads(now, &mut search, &leads, lent);
            }
            Ok(_) => search.coverage.refused += 1,
            Err(_) => search.coverage.unreachable += 1,
        }
        self.searches.insert(id, search);
    }

    /// Takes those leads that match, and says whom the others named.
    pub(super) fn take_leads(
        &mut self,
        now: Timestamp,
        search: &mut Search,
        leads: &Leads,
        lent: &Lent<'_>,
    ) -> BTreeSet<PublicKey> {
        let (mut named, summaries) = self.admit_leads(now, search, leads, lent);
        for summary in summaries {
            let stated = ranking::stated(summary.body(), lent.trust);
            let query = &search.specification.query;
            if ranking::matches(query, summary.body(), &stated, lent.vocabulary) {
                named.insert(summary.body().view());
                search.offer(summary);
            }
        }
        named
    }

    /// Whom of the leads the search has already, and the summaries of the others. Those that we do not hold are verified together.
    fn admit_leads(
        &mut self,
        now: Timestamp,
        search: &Search,
        leads: &Leads,
        lent: &Lent<'_>,
    ) -> (BTreeSet<PublicKey>, Vec<Signed<Summary>>) {
        let (mut named, mut summaries) = (BTreeSet::new(), Vec::new());
        let (mut new, mut unverified) = (Vec::new(), Vec::<&[u8]>::new());
        for Envelope(envelope) in leads.summaries.iter().take(LEADS_MAX) {
            let id = signed::peek_id(envelope);
            if let Some(view) = id.and_then(|id| search.known.get(&id)) {
                named.insert(*view);
                continue;
            }
            // Held, but perhaps only since the own index was asked.
            match id.and_then(|id| self.catalogue.holding(&id)) {
                Some(Holding::Summary(view)) => summaries.extend(lent.index.summary(&view)),
                _ => {
                    let verified = lent.index.verified_lead(envelope);
                    if verified.is_none() {
                        unverified.push(envelope);
                    }
                    new.push(verified);
                }
            }
        }
        let mut decoded = signed::decode_all(&unverified).into_iter();
        let new = new.into_iter().filter_map(|verified| verified.or_else(|| decoded.next()?.ok()));
        let new: Vec<Item> = new.map(Item::Summary).collect();
        let admitted = self.admit_all(now, &new, &Source::told(Party::SEARCHES, lent));
        for (item, admission) in new.into_iter().zip(admitted) {
            if let (Item::Summary(summary), Ok(_)) = (item, admission) {
                summaries.push(summary);
            }
        }
        (named, summaries)
    }

    pub(super) fn tend_searches(&mut self, now: Timestamp, lent: &Lent<'_>) {
        let ids: Vec<CommandId> = self.searches.keys().copied().collect();
        for id in ids {
            self.hedge(now, id);
            // Where no cell could be reached, those who are connected may still know somebody.
            let has_failed = |s: &Search| {
                s.is_gathering() && !s.has_asked_connected && s.routing.is_over() && s.routing.has_failed()
            };
            if self.searches.get(&id).is_some_and(|search| has_failed(search))
                && let Some(mut search) = self.searches.remove(&id)
            {
                self.ask_connected(now, id, &mut search);
                self.searches.insert(id, search);
            }
            let gathered = self.searches.get(&id).is_some_and(|s| match s.phase {
                Phase::Gathering { until } => {
                    let is_silent = s.waiting == 0 || s.silent_at.is_some_and(|at| at <= now);
                    (is_silent && s.routing.is_over()) || until <= now
                }
                Phase::Proving => false,
            });
            if gathered {
                self.inquire(now, id, lent);
            }
            let proven = self
                .searches
                .get(&id)
                .is_some_and(|s| matches!(s.phase, Phase::Proving) && (s.waiting == 0 || s.deadline <= now));
            if proven && let Some(search) = self.searches.remove(&id) {
                let outcome = self.conclude(now, *search, lent);
                self.outputs.push(Output::Reply(id, Reply::Found(Ok(Box::new(outcome)))));
            }
        }
    }

    /// Asks the best leads for presentations of the skills that the query asks for.
    fn inquire(&mut self, now: Timestamp, id: CommandId, lent: &Lent<'_>) {
        let Some(mut search) = self.searches.remove(&id) else { return };
        search.coverage.unreachable += search.waiting + search.routing.silent();
        search.phase = Phase::Proving;
        search.waiting = 0;
        let query = &search.specification.query;
        let asked_skills = query.skills();
        let score = |s: &Summary| {
            ranking::score(query, s, &ranking::stated(s, lent.trust), lent.vocabulary, now).points
        };
        let mut order: Vec<(i64, [u8; 32], PublicKey)> = search
            .leads
            .iter()
            .map(|(view, l)| {
                (-score(l.summary.body()), ranking::tie_break(&search.seed, l.summary.body()), *view)
            })
            .collect();
        order.sort();
        let best = search.specification.top.saturating_mul(2).clamp(8, SEARCH_INQUIRIES_MAX);
        let mut sends = Vec::new();
        let foremost: Vec<PublicKey> = order.iter().take(best).map(|(_, _, view)| *view).collect();
        for (_, _, view) in order {
            let Some(lead) = search.leads.get_mut(&view) else { continue };
            let skills = provable(lead.summary.body(), &asked_skills);
            lead.proof = if skills.is_empty() {
                Proof::NotAsked("no credential behind the claims asked for")
            } else if lead.summary.body().present() != Present::Anyone {
                Proof::Awaited("the holder decides on each inquiry")
            } else if sends.len() >= best {
                Proof::NotAsked("not among the best leads")
            } else {
                let inquiry = Inquiry::new(
                    self.identity.root.public(),
                    &lead.summary,
                    skills,
                    search.specification.undertaking.clone(),
                    Nonce(self.random()),
                    now,
                    search.deadline,
                );
                match inquiry {
                    Ok(inquiry) => {
                        let inquiry = Signed::sign(inquiry, &self.identity.root);
                        sends.push((view, lead.summary.body().reach().node().clone(), inquiry.clone()));
                        lead.inquiry = Some(inquiry);
                        Proof::Awaited("no answer in time")
                    }
                    Err(error) => {
                        self.outputs.push(Output::Reply(id, Reply::Found(Err(error.into()))));
                        return;
                    }
                }
            };
        }
        search.coverage.inquired = sends.len();
        search.waiting = sends.len();
        let verifier = lent.verifier(now);
        for view in foremost {
            let Some(lead) = search.leads.get(&view) else { continue };
            let needs = Published::needs(lead.summary.body(), &verifier);
            let is_open = search.awaits(id, &view, &needs, &mut self.outputs);
            search.waiting += usize::from(is_open);
            if let Some(lead) = search.leads.get_mut(&view) {
                lead.open_proofs = is_open;
            }
        }
        self.searches.insert(id, search);
        for (view, node, inquiry) in sends {
            if node == self.identity.node_id {
                let response = self.disclose(now, &inquiry, lent);
                self.answered(now, id, view, Ok(response), lent);
            } else {
                self.send(node, &Request::Inquire(inquiry), Pending::Inquire { search: id, view });
            }
        }
    }

    /// A holder's answer.
    pub(super) fn answered(
        &mut self,
        now: Timestamp,
        id: CommandId,
        view: PublicKey,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        search.waiting = search.waiting.saturating_sub(1);
        let Some(lead) = search.leads.get(&view) else { return };
        let Some(inquiry) = &lead.inquiry else { return };
        let mut lacking = None;
        let proof = match response {
            Ok(Response::Disclosed(disclosure)) => {
                let verifier = lent.verifier(now);
                match disclosure.verify(inquiry, lead.summary.body(), &verifier) {
                    Ok(proven) => {
                        search.coverage.presented += 1;
                        if search.awaits(id, &view, &disclosure.needs(&verifier), &mut self.outputs) {
                            search.waiting += 1;
                            lacking = Some(Box::new(disclosure));
                        }
                        Proof::Presented(Box::new(proven))
                    }
                    Err(error) => Proof::Refused(error.to_string()),
                }
            }
            Ok(Response::Received) => Proof::Awaited("the inquiry was received; no presentation came"),
            Ok(_) => Proof::Awaited("the holder's node refused the inquiry"),
            Err(Failure::Unreachable) => Proof::Awaited("the holder's node could not be reached"),
            Err(Failure::Timeout) => Proof::Awaited("the holder's node did not answer in time"),
        };
        if let Some(lead) = search.leads.get_mut(&view) {
            (lead.proof, lead.lacking) = (proof, lacking);
        }
    }

    /// Verifies again what lacked something that was obtained since. What came may bring up more: the list of a status names
    /// who signed it.
    pub(super) fn obtained(&mut self, now: Timestamp, id: CommandId, needs: &[Need], lent: &Lent<'_>) {
        let verifier = lent.verifier(now);
        let Some(search) = self.searches.get_mut(&id) else { return };
        for need in needs {
            if let Some(lack) = search.lacks.get_mut(need) {
                *lack = Lack::Past;
            }
        }
        let is_open = |(_, lead): &(&PublicKey, &Lead)| lead.lacking.is_some() || lead.open_proofs;
        let open: Vec<PublicKey> = search.leads.iter().filter(is_open).map(|(view, _)| *view).collect();
        for view in open {
            let Some(lead) = search.leads.get_mut(&view) else { continue };
            if std::mem::take(&mut lead.open_proofs) {
                let needs = Published::needs(lead.summary.body(), &verifier);
                let is_open = search.awaits(id, &view, &needs, &mut self.outputs);
                search.waiting = search.waiting.saturating_sub(usize::from(!is_open));
                if let Some(lead) = search.leads.get_mut(&view) {
                    lead.open_proofs = is_open;
                }
            }
            let Some(lead) = search.leads.get_mut(&view) else { continue };
            let (Some(disclosure), Some(inquiry)) = (lead.lacking.take(), &lead.inquiry) else {
                continue;
            };
            if let Ok(proven) = disclosure.verify(inquiry, lead.summary.body(), &verifier) {
                lead.proof = Proof::Presented(Box::new(proven));
            }
            if search.awaits(id, &view, &disclosure.needs(&verifier), &mut self.outputs) {
                if let Some(lead) = search.leads.get_mut(&view) {
                    lead.lacking = Some(disclosure);
                }
            } else {
                search.waiting = search.waiting.saturating_sub(1);
            }
        }
    }

    fn conclude(&mut self, now: Timestamp, search: Search, lent: &Lent<'_>) -> Outcome {
        let Search { specification, started, leads, routing, mut coverage, seed, .. } = search;
        let query = specification.query;
        // The own index may have matched more than it nominated; others may have known more than it held.
        coverage.matched = coverage.matched.max(leads.len());
        coverage.cells = routing.coverage();
        coverage.index_age_ms = self.reconciled().map(|at| now.since_ms(at));
        let mut found: Vec<(i64, [u8; 32], Rated)> = Vec::new();
        let mut withheld = Vec::new();
        for (view, lead) in leads {
            let summary = lead.summary.body();
            if !self.catalogue.is_believed(&lead.summary, now) {
                withheld.push(Withheld { view, reason: "withdrawn or expired while the search ran".into() });
                continue;
            }
            let proven = match &lead.proof {
                Proof::Presented(proven) => Some(proven.as_ref()),
                _ => None,
            };
            let published = Published::of(summary, &lent.verifier(now));
            let standing = ranking::standing(summary, proven, &published, lent.trust);
            if !ranking::matches(&query, summary, &standing, lent.vocabulary) {
                withheld.push(Withheld { view, reason: why_withheld(&lead.proof, &published) });
                continue;
            }
            let score = ranking::score(&query, summary, &standing, lent.vocabulary, now);
            let (verified, recognised) = verdict(&query, &standing);
            let statement = ScoreStatement {
                seeker: self.identity.root.public(),
                query: query.clone(),
                weights: WEIGHTS_VERSION,
                idf: lent.vocabulary.digest(),
                time: now,
                seed,
                summary: lead.summary.id(),
                standing: standing.clone(),
                points: u64::try_from(score.points).unwrap_or(0),
                terms: score.terms.clone(),
            };
            let tie = ranking::tie_break(&seed, summary);
            let points = -score.points;
            let holder = proven.map(|p| p.holder.clone());
            let Lead { summary, proof, .. } = lead;
            let one =
                Rated { summary, holder, standing, proof, published, score, verified, recognised, statement };
            found.push((points, tie, one));
        }
        found.sort_by_key(|(points, tie, _)| (*points, *tie));
        let best = found.into_iter().take(specification.top).map(|(_, _, one)| one);
        let results = best.map(|one| one.sign(&self.identity.root)).collect();
        Outcome { query, results, withheld, coverage, elapsed_ms: now.since_ms(started) }
    }
}

/// A candidate whose score nobody has signed yet: most of them are not among the results.
struct Rated {
    summary: Signed<Summary>,
    holder: Option<Did>,
    standing: Vec<Standing>,
    proof: Proof,
    published: Published,
    score: Score,
    verified: bool,
    recognised: bool,
    statement: ScoreStatement,
}

impl Rated {
    fn sign(self, root: &SecretKey) -> Found {
        let Rated { summary, holder, standing, proof, published, score, verified, recognised, statement } =
            self;
        let statement = Signed::sign(statement, root);
        Found { summary, holder, standing, proof, published, score, verified, recognised, statement }
    }
}

/// The skills asked for that the summary says a credential stands behind; all such skills when the query names none.
fn provable(summary: &Summary, asked: &[&SkillId]) -> Vec<SkillId> {
    let backed = summary.content().claims().iter().filter(|c| c.backing().is_some());
    backed.map(|c| c.skill().clone()).filter(|s| asked.is_empty() || asked.contains(&s)).collect()
}

/// Verified: every skill that meets a requirement is proven, and there is one. Recognised: by listed issuers only.
fn verdict(query: &Query, standing: &[Standing]) -> (bool, bool) {
    let mut met: Vec<&Standing> = Vec::new();
    for requirement in query.requirements() {
        if let Requirement::Skill(term) = requirement {
            met.extend(standing.iter().filter(|s| term.is_met_by(&s.skill, s.level)));
        }
    }
    if query.skills().is_empty() {
        met.extend(standing.iter().filter(|s| s.tier > Tier::Claimed));
    }
    let verified = !met.is_empty() && met.iter().all(|s| s.award.is_some());
    let listed = |s: &&Standing| s.award.as_ref().is_some_and(|a| a.recognition == Recognition::Listed);
    (verified, verified && met.iter().all(listed))
}

fn why_withheld(proof: &Proof, published: &Published) -> String {
    let open = published.claims().iter().filter(|claim| claim.state != ProofState::Proven);
    let open: String = open.map(|claim| format!("; {}: {}", claim.skill, claim.state.text())).collect();
    let reason = match proof {
        Proof::Presented(proven) => {
            let failed: Vec<String> = [proven.failures(), proven.unchecked()].concat();
            if failed.is_empty() {
                "what was presented proves less than was stated".into()
            } else {
                failed.join("; ")
            }
        }
        Proof::NotAsked(reason) | Proof::Awaited(reason) => format!("not proven: {reason}"),
        Proof::Refused(reason) => format!("presentation refused: {reason}"),
    };
    reason + &open
}
