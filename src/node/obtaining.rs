//! What the node obtains from the web by itself: for its operator's searches, and anew about its own credentials.
//!
//! Each is a task with an end. Servers are asked for a search only where its operator said so, since whoever presents
//! credentials chooses which; otherwise only what was fetched earlier is read. They are asked about own credentials only where
//! the settings say so, at times that are drawn, so that they tell little of when the node was started and what it does.

use std::{sync::Arc, time::Duration};

use knackmesh_protocol::{
    credential::{Credential, Known, Need, TrustList, Verifier},
    did::{Documents, web},
    limits::{OBTAIN_FETCH_TIMEOUT_MS, OBTAIN_TIMEOUT_MS, OBTAINING_AT_ONCE_MAX},
    peer::{CommandId, Input},
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, timeout},
};
use tracing::{debug, warn};

use super::{
    Node, now,
    service::Wait,
    verifying::{Asker, Question, gather, lacking, needs_of},
};
use crate::{
    control::{Exit, Refusal},
    fetch::{FetchConfig, Fetcher, Kind},
    report::{FetchedRow, ReasonRow},
};

/// The code of what has not come yet.
const LATE: &str = "not-in-time";

/// What a task brings.
pub(super) enum Brought {
    /// What a search lacked, as far as it could be had.
    ForSearch { search: CommandId, needs: Vec<Need>, known: Known, fetched: Vec<FetchedRow> },
    /// What is new about own credentials.
    Own(Known),
}

/// Where tasks bring what they obtained.
pub(super) struct Obtaining {
    sender: mpsc::Sender<Brought>,
    receiver: mpsc::Receiver<Brought>,
    turns: Arc<Semaphore>,
}

impl Obtaining {
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel(OBTAINING_AT_ONCE_MAX);
        Obtaining { sender, receiver, turns: Arc::new(Semaphore::new(OBTAINING_AT_ONCE_MAX)) }
    }

    /// The next thing brought. It may be asked for and given up again.
    pub async fn next(&mut self) -> Brought {
        match self.receiver.recv().await {
            Some(brought) => brought,
            // It has a sender of its own, so that it never ends.
            None => std::future::pending().await,
        }
    }
}

/// When the statuses of own credentials are looked after again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refresh {
    /// The age at which a status list is fetched again, in milliseconds.
    age_ms: u64,
    /// The next time to look.
    pub at: Instant,
}

impl Refresh {
    /// From now on. The first time is drawn as well.
    pub fn new(age: Duration) -> Self {
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Refresh { age_ms, at: Instant::now() + Duration::from_millis(drawn(age_ms / 4)) }
    }

    /// The same, after a quarter to a half of the age.
    fn later(self) -> Self {
        let pause = (self.age_ms / 4).saturating_add(drawn(self.age_ms / 4));
        Refresh { at: Instant::now() + Duration::from_millis(pause), ..self }
    }
}

/// A number up to `most`, at random.
fn drawn(most: u64) -> u64 {
    // Without randomness the time tells more than it should, and nothing else is lost.
    getrandom::u64().unwrap_or(0) % most.saturating_add(1)
}

impl Node {
    /// Has what a search lacks obtained. It comes back whatever happens.
    pub(super) fn obtain(&mut self, search: CommandId, needs: Vec<Need>) {
        let mut asks = false;
        let mut patience = Duration::ZERO;
        if let Some(Wait::Query { fetch, until, fetched, .. }) = self.waiting.get_mut(&search) {
            asks = *fetch;
            patience = until.until(now()).min(Duration::from_millis(OBTAIN_TIMEOUT_MS));
            let late = "the search ended before it came; give it more time with --deadline";
            join(fetched, needs.iter().filter_map(|need| unmet(need, LATE, late)).collect());
        }
        let config = |settings: &_| FetchConfig {
            offline: !asks,
            timeout_ms: OBTAIN_FETCH_TIMEOUT_MS,
            ..FetchConfig::from(settings)
        };
        let fetcher = match self.fetcher(config) {
            Ok(fetcher) => fetcher,
            Err(refusal) => {
                if let Some(Wait::Query { fetched, .. }) = self.waiting.get_mut(&search) {
                    let unmet = |need: &Need| unmet(need, "settings", &refusal.message);
                    join(fetched, needs.iter().filter_map(unmet).collect());
                }
                self.inputs.push_back(Input::Obtained { search, needs });
                return;
            }
        };
        let (known, turns) = (self.knowledge.lent().clone(), self.obtaining.turns.clone());
        let sender = self.obtaining.sender.clone();
        tokio::spawn(async move {
            let asker = Asker::new(&fetcher, &told);
            let nobody = TrustList::default();
            let obtained = timeout(patience, async {
                let _turn = turns.acquire().await;
                gather(&lacking(&needs), &Verifier::new(now(), &nobody).knowing(&known), &asker).await
            });
            let known = obtained.await.unwrap_or_default();
            let mut fetched = asker.fetched();
            if !asks {
                fetched.iter_mut().for_each(advise);
            }
            // A node that has stopped needs nothing any more.
            let _ = sender.send(Brought::ForSearch { search, needs, known, fetched }).await;
        });
    }

    /// Takes in what a task brings.
    pub(super) fn brought(&mut self, brought: Brought) {
        match brought {
            Brought::ForSearch { search, needs, known, fetched } => {
                // What comes after the end of its search is among what was fetched, for the next one.
                let Some(Wait::Query { fetched: rows, .. }) = self.waiting.get_mut(&search) else { return };
                let urls: Vec<String> = needs.iter().filter_map(url_of).collect();
                let is_late = |row: &FetchedRow| row.problem.as_ref().is_some_and(|p| p.code == LATE);
                rows.retain(|row| !is_late(row) || !urls.contains(&row.url));
                join(rows, fetched);
                self.knowledge.learn_for_searches(known);
                self.inputs.push_back(Input::Obtained { search, needs });
            }
            Brought::Own(known) => self.knowledge.learn(known),
        }
    }

    /// Fetches the status lists of own credentials that have become old, where the settings say so and it is time.
    pub(super) fn refresh(&mut self) {
        let Some(refresh) = self.refresh.filter(|refresh| refresh.at <= Instant::now()) else { return };
        self.refresh = Some(refresh.later());
        let prepared = self.kept_entries().and_then(|entries| {
            let fetcher = self.fetcher(|settings| FetchConfig::from(settings))?;
            Ok((entries, fetcher))
        });
        let (entries, fetcher) = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => return warn!(error = %refusal, "statuses of own credentials are not fetched"),
        };
        let credentials: Vec<Credential> = entries.into_iter().map(|(_, credential)| credential).collect();
        // With a list, the keys of who signed it are asked for again: they may have been replaced.
        let status_lists = self.knowledge.own().status_lists.clone();
        let known = Known { documents: Documents::new(), status_lists };
        let sender = self.obtaining.sender.clone();
        tokio::spawn(async move {
            let asker = Asker::new(&fetcher, &told);
            let nobody = TrustList::default();
            let verifier = Verifier::new(now(), &nobody).knowing(&known);
            let verifier = Verifier { status_age_max_ms: refresh.age_ms, ..verifier };
            let is_due = |credential: &Credential| {
                let lives = credential.valid_until().is_none_or(|until| verifier.now < until);
                lives && credential.needs(&verifier).iter().any(|need| matches!(need, Need::StatusList(_)))
            };
            let due: Vec<Credential> = credentials.into_iter().filter(is_due).collect();
            if due.is_empty() {
                return;
            }
            let known = gather(&needs_of(&due), &verifier, &asker).await;
            for problem in asker.fetched().into_iter().filter_map(|row| row.problem) {
                debug!(reason = problem.reason, "the status of an own credential");
            }
            let _ = sender.send(Brought::Own(known)).await;
        });
    }

    /// A fetcher by this home's settings, as `config` has them.
    pub(super) fn fetcher(
        &self,
        config: impl FnOnce(&crate::home::FetchSettings) -> FetchConfig,
    ) -> Result<Fetcher, Refusal> {
        let config = config(&self.home.config()?.fetch);
        Fetcher::new(&config, Some(self.home.cache()))
            .map_err(|e| Refusal::new(Exit::Failed, e.to_string(), e.hint()))
    }
}

fn told(question: &Question<'_>) {
    debug!(host = question.host(), kind = question.kind.name(), "asking; it learns that somebody verifies");
}

/// Puts `new` in the place of what was said of the same things before.
fn join(rows: &mut Vec<FetchedRow>, new: Vec<FetchedRow>) {
    for row in new {
        match rows.iter_mut().find(|before| before.kind == row.kind && before.url == row.url) {
            Some(before) => *before = row,
            None => rows.push(row),
        }
    }
}

/// That something was not had, and why.
fn unmet(need: &Need, code: &str, reason: &str) -> Option<FetchedRow> {
    let kind = match need {
        Need::Document(_) => Kind::DidDocument,
        Need::KeyPage(_) => Kind::Keys,
        Need::StatusList(_) => Kind::StatusList,
    };
    Some(FetchedRow {
        kind: kind.name().to_owned(),
        url: url_of(need)?,
        problem: Some(ReasonRow::new(kind.name(), code, reason)),
        fetched: None,
        age_seconds: None,
        from_cache: false,
    })
}

fn url_of(need: &Need) -> Option<String> {
    match need {
        Need::Document(did) => web::url_of(did).ok(),
        Need::KeyPage(url) | Need::StatusList(url) => Some(url.clone()),
    }
}

/// Says how to have what nobody was asked for.
fn advise(row: &mut FetchedRow) {
    let host = Question { kind: Kind::StatusList, url: &row.url }.host().to_owned();
    if let Some(problem) = row.problem.as_mut().filter(|problem| problem.code == "offline") {
        problem.reason =
            format!("not asked for: add --fetch to ask {host}, which learns that somebody verifies");
    }
}
