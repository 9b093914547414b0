//! What a node does for its operator: each request of the control socket, carried out.

use std::collections::{BTreeMap, BTreeSet};

use knackmesh_protocol::{
    credential::{Credential, VerifiedCredential, Verifier},
    id::Id,
    inquiry::Undertaking,
    key::Did,
    limits::{SEARCH_DEADLINE_MAX_MS, SEARCH_LEADS_MAX},
    message::{self, Item},
    peer::{Command, Reply as PeerReply, SearchError, Specification},
    published, query,
    skill::{Level, SkillId},
    summary::{Content, Opening, SummaryError, Terms},
    time::Timestamp,
    vocabulary::{Resolution, Vocabulary},
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Node, NodeError, now, proofs::Attached};
use crate::{
    control::{
        Errand, Exit, ProfileOrder, ProfileReport, ProofsOrder, QueryOrder, RecordReport, Refusal, Reply,
        Request,
    },
    network::{self, Protocols},
    report::{
        FetchedRow, IndexRow, PlacementRow, PreviewReport, ProtocolsRow, QueryReport, SkillRow, StatusReport,
    },
    store::StoreError,
};

pub(super) type Answer = Result<Reply, Refusal>;
type Sender = oneshot::Sender<Answer>;

/// A request that waits for the peer.
pub(super) enum Wait {
    Publish {
        sender: Sender,
        linked: bool,
        left_out: Vec<String>,
    },
    Withdraw(Sender),
    Query {
        sender: Sender,
        text: String,
        understood: Vec<String>,
        /// Whether servers may be asked for what verifications lack.
        fetch: bool,
        /// When it ends at the latest.
        until: Timestamp,
        /// What was obtained, or could not be.
        fetched: Vec<FetchedRow>,
    },
}

/// A look-up that waits for the network.
pub(super) struct Lookup {
    sender: Sender,
    view: Did,
}

/// What the holder says besides credentials, as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Profile {
    terms: Terms,
    claims: BTreeMap<SkillId, Level>,
}

impl From<StoreError> for Refusal {
    fn from(e: StoreError) -> Self {
        Refusal::new(Exit::Failed, e.to_string(), e.hint())
    }
}

impl Node {
    /// Begins to carry out a request; an error here ends the node.
    pub(super) async fn errand(&mut self, (request, sender): Errand) -> Result<(), NodeError> {
        let answer = match request {
            Request::Status => self.status().await,
            Request::Peers => self.peers().await,
            Request::Condition => self.condition().await,
            Request::Metrics => self.metrics().await,
            Request::Import(order) => self.import(&order).await,
            Request::Credentials => self.credentials().await,
            Request::Texts => self.texts(),
            Request::Issue(order) => self.issue(&order),
            Request::IssueMany { orders, dry } => self.issue_many(&orders, dry),
            Request::Sign(order) => self.sign(order),
            Request::Present(order) => self.present(order),
            Request::Show(order) => self.show(&order).await,
            Request::Forget { names } => self.forget(&names),
            Request::Disclosures { newest } => self.disclosures(newest),
            Request::Issued { from } => self.issued(from),
            Request::SetStatus(order) => self.set_status(order),
            Request::StatusList { name, format } => self.status_list(&name, format),
            Request::StatusLists { format } => self.all_status_lists(format),
            Request::Preview { present, proofs } => self.preview(present, proofs).await,
            Request::SingleUseKeys { count } => self.single_use_keys(count),
            Request::Trust(order) => self.trust(order).await,
            Request::Profile(order) => self.profile(&order),
            Request::Why { rank } => self.why(rank),
            Request::Publish { lease_ms, present, proofs } => match self.draft_to_publish(proofs).await {
                Ok(draft) => {
                    let Attached { links: linked, left_out, .. } = draft.attached;
                    let command = Command::Publish {
                        content: draft.content,
                        openings: draft.openings,
                        present,
                        lease_ms,
                    };
                    self.command(command, Wait::Publish { sender, linked, left_out });
                    return Ok(());
                }
                Err(refusal) => Err(refusal),
            },
            Request::Withdraw => {
                self.command(Command::Withdraw, Wait::Withdraw(sender));
                return Ok(());
            }
            Request::Query(order) => match self.specification(&order) {
                Ok((specification, understood)) => {
                    self.knowledge.begin_search(now());
                    self.searches += 1;
                    let (fetch, fetched) = (order.fetch, Vec::new());
                    let until = now().plus_ms(order.deadline_ms);
                    let wait = Wait::Query { sender, text: order.query, understood, fetch, until, fetched };
                    self.command(Command::Search(specification), wait);
                    return Ok(());
                }
                Err(refusal) => Err(refusal),
            },
            Request::Lookup { view } => match self.lookup(&view) {
                Ok(key) => {
                    let token = self.next_command;
                    self.next_command += 1;
                    self.lookups.insert(token, Lookup { sender, view });
                    return self.send(network::Command::GetRecord { token, key }).await;
                }
                Err(refusal) => Err(refusal),
            },
        };
        // An operator who hung up does not want the answer.
        let _ = sender.send(answer);
        Ok(())
    }

    /// Ends a request that waited for the peer.
    pub(super) fn finish(&mut self, wait: Wait, reply: PeerReply) -> Result<(), NodeError> {
        let (sender, answer) = match (wait, reply) {
            (Wait::Publish { sender, linked, left_out }, PeerReply::Published(result)) => {
                let published = result.map_err(|e| {
                    Refusal::new(
                        Exit::Refused,
                        e.to_string(),
                        "see `knack preview` and `knack publish --help`",
                    )
                });
                let answer = published.map(|p| Reply::Published {
                    view: p.summary.body().view().to_string(),
                    until: p.summary.body().expires(),
                    peers: p.peers,
                    claims: p.summary.body().content().claims().len(),
                    bytes: p.summary.encode().len(),
                    announced: self.network.is_some(),
                    proofs: p.summary.body().content().proofs().len(),
                    linked,
                    left_out,
                });
                (sender, answer)
            }
            (Wait::Withdraw(sender), PeerReply::Withdrawn(withdrawn)) => {
                let announced = self.network.is_some();
                let answer = match withdrawn {
                    Some(w) => Reply::Withdrawn {
                        was_published: true,
                        asked: w.asked,
                        acknowledged: w.acknowledgements.len(),
                        announced,
                    },
                    None => Reply::Withdrawn { was_published: false, asked: 0, acknowledged: 0, announced },
                };
                (sender, Ok(answer))
            }
            (Wait::Query { sender, text, understood, fetched, .. }, PeerReply::Found(result)) => {
                let answer = match result {
                    Ok(outcome) => {
                        let report = QueryReport {
                            fetched,
                            ..QueryReport::new(&text, understood, &outcome, &self.vocabulary)
                        };
                        let kept = serde_json::to_string(&report).unwrap_or_default();
                        self.shelf.store.set("last_query", &kept)?;
                        Ok(Reply::Found(Box::new(report)))
                    }
                    Err(e @ SearchError::Busy) => {
                        Err(Refusal::new(Exit::Refused, e.to_string(), "try again in a moment"))
                    }
                    Err(e) => Err(Refusal::new(Exit::Usage, e.to_string(), "see `knack query --help`")),
                };
                (sender, answer)
            }
            (Wait::Publish { sender, .. } | Wait::Withdraw(sender) | Wait::Query { sender, .. }, _) => {
                (sender, Err(Refusal::new(Exit::Failed, "the peer answered another question", "report this")))
            }
        };
        let _ = sender.send(answer);
        Ok(())
    }

    async fn status(&self) -> Answer {
        let snapshot = match &self.network {
            Some(network) => network.snapshot().await.ok(),
            None => None,
        };
        let protocols = Protocols::default();
        Ok(Reply::Status(Box::new(StatusReport {
            running: self.network.is_some(),
            did: self.identity.root.did().to_string(),
            view: self.peer.view().to_string(),
            peer_id: self.identity.node_id.to_string(),
            listen: snapshot.map(|s| s.listen).unwrap_or_default(),
            peers: self.peer.peers().len(),
            index: IndexRow {
                summaries: self.peer.summaries(),
                replica: self.peer.replica(),
                cells: self.peer.cells().count(),
            },
            published_until: self.peer.publication().map(|p| p.summary.body().expires()),
            placement: self
                .peer
                .publication()
                .map(|_| PlacementRow::new(self.peer.placement(), self.peer.is_placing())),
            credentials: self.shelf.store.credential_count(),
            protocols: ProtocolsRow {
                kad: protocols.kad,
                rpc: protocols.rpc,
                identify: protocols.identify,
                gossip: message::TOPIC_PREFIX.to_owned(),
            },
        })))
    }

    /// The verifier that this home is now.
    pub(super) fn verifier(&self) -> Verifier<'_> {
        Verifier::new(now(), &self.trust.list).knowing(self.knowledge.own())
    }

    /// What is published now; the copies in it are used up.
    async fn draft_to_publish(&mut self, proofs: ProofsOrder) -> Result<Draft, Refusal> {
        let draft = self.draft(proofs).await?;
        self.use_up(&draft.attached.copies)?;
        Ok(draft)
    }

    /// What would be published now, exactly.
    async fn draft(&mut self, proofs: ProofsOrder) -> Result<Draft, Refusal> {
        let profile = self.kept_profile()?;
        let (mut verified, mut left_out): (Vec<VerifiedCredential>, _) = (Vec::new(), self.unproven()?);
        let (mut candidates, mut copies) = (Vec::new(), Vec::new());
        let own = self.identity.root.did();
        let entries = self.kept_entries()?;
        let credentials: Vec<Credential> = entries.iter().map(|(_, credential)| credential.clone()).collect();
        self.recall(&credentials).await?;
        for (kept, credential) in entries {
            let is_wanted = match kept.copy {
                None => credential.subject() == Some(&own),
                Some(_) => proofs.attach,
            };
            if !is_wanted {
                continue;
            }
            let name = credential.title();
            let states_a_skill = !credential.skills().is_empty();
            match credential.verified(&self.verifier()) {
                Ok(_) if !states_a_skill => left_out.push(format!("{name}: it names no skill by a URI")),
                Ok(credential) if proofs.attach => {
                    candidates.extend(self.candidate(&kept, credential.credential()));
                    match kept.copy {
                        None => verified.push(credential),
                        Some(copy) if copy.used.is_none() || proofs.linkable => copies.push(credential),
                        Some(_) => {}
                    }
                }
                Ok(credential) => verified.push(credential),
                Err(checks) => {
                    let reasons = checks.reasons.values().map(|r| r.text.as_str()).collect::<Vec<_>>();
                    left_out.push(format!("{name}: not verified: {}", reasons.join("; ")));
                }
            }
        }
        // Of equals, what can be presented stands behind a claim. A copy cannot: nothing opens its commitment.
        let copied: BTreeSet<Id> = copies.iter().map(|copy| copy.credential().id()).collect();
        verified.extend(copies);
        let bare: Vec<(SkillId, Level)> = profile.claims.into_iter().collect();
        let drafted = Content::draft(&verified, &bare, profile.terms, &self.vocabulary, &self.identity.view);
        let (content, mut openings) = drafted.map_err(|e| match e {
            SummaryError::Empty => Refusal::new(
                Exit::NoConsent,
                "there is nothing to publish: no verified credential and no claim",
                "import a credential (`knack import FILE`) or claim a skill (`knack profile --claim NAME=LEVEL`)",
            ),
            e => Refusal::new(Exit::Refused, e.to_string(), "see `knack credentials` and `knack profile`"),
        })?;
        openings.retain(|opening| !copied.contains(&opening.credential));
        if !proofs.attach {
            return Ok(Draft { content, openings, left_out, attached: Attached::default() });
        }
        let (content, attached) = self.attach(content, candidates, proofs.linkable)?;
        Ok(Draft { content, openings, left_out, attached })
    }

    async fn preview(
        &mut self,
        present: knackmesh_protocol::consent::Present,
        proofs: ProofsOrder,
    ) -> Answer {
        let Draft { content, mut left_out, attached, .. } = self.draft(proofs).await?;
        left_out.extend(attached.left_out);
        Ok(Reply::Preview(Box::new(PreviewReport {
            view: self.peer.view().to_string(),
            node: self.identity.node_id.to_string(),
            bytes: knackmesh_protocol::wire::encode(&content).len(),
            content,
            present,
            linked: attached.links,
            left_out,
        })))
    }

    fn specification(&self, order: &QueryOrder) -> Result<(Specification, Vec<String>), Refusal> {
        let parsed = query::parse(&order.query, &self.vocabulary, now()).map_err(|e| {
            let hint = if e.hint.is_empty() { "see `knack query --help`".to_owned() } else { e.hint.clone() };
            // The advice that the rendered error ends with goes where advice always goes.
            let rendered = e.render(&order.query);
            let (message, _) = rendered.split_once("\ntry: ").unwrap_or((&rendered, ""));
            Refusal::new(Exit::Usage, message.trim_end(), hint)
        })?;
        if !(1..=SEARCH_LEADS_MAX).contains(&order.top) {
            let message = format!("--top takes 1 to {SEARCH_LEADS_MAX}");
            return Err(Refusal::new(Exit::Usage, message, "ask for fewer results"));
        }
        if !(1..=SEARCH_DEADLINE_MAX_MS).contains(&order.deadline_ms) {
            let message = format!("--deadline takes up to {} seconds", SEARCH_DEADLINE_MAX_MS / 1000);
            return Err(Refusal::new(Exit::Usage, message, "give a duration such as 5s"));
        }
        let specification = Specification {
            query: parsed.query,
            top: order.top,
            deadline_ms: order.deadline_ms,
            undertaking: Undertaking {
                purpose: order.purpose.clone(),
                retention_days: order.retention_days,
                contact: order.contact.clone(),
            },
        };
        Ok((specification, parsed.notes))
    }

    fn why(&self, rank: usize) -> Answer {
        let kept: Option<String> = self.shelf.store.setting("last_query")?;
        let report: Option<QueryReport> = kept.and_then(|text| serde_json::from_str(&text).ok());
        let Some(report) = report else {
            return Err(Refusal::new(
                Exit::Failed,
                "no query was made here yet",
                "ask one: `knack query QUERY`",
            ));
        };
        let found = report.results.len();
        let query = report.query;
        match report.results.into_iter().find(|r| r.rank == rank) {
            Some(result) => Ok(Reply::Why { query, result: Box::new(result) }),
            None => Err(Refusal::new(
                Exit::Usage,
                format!("the last query found {found}; there is no rank {rank}"),
                "ranks begin at 1; repeat the query with a greater --top to see more",
            )),
        }
    }

    fn kept_profile(&self) -> Result<Profile, StoreError> {
        Ok(self.shelf.store.setting("profile")?.unwrap_or_default())
    }

    fn profile(&self, order: &ProfileOrder) -> Answer {
        let mut profile = self.kept_profile()?;
        let mut changed = false;
        if let Some(terms) = &order.terms {
            profile.terms = terms.clone();
            changed = true;
        }
        for (name, level) in &order.claim {
            profile.claims.insert(self.skill(name)?, *level);
            changed = true;
        }
        for name in &order.drop {
            profile.claims.remove(&self.skill(name)?);
            changed = true;
        }
        if changed {
            self.shelf.store.set("profile", &profile)?;
            self.shelf.store.flush()?;
        }
        let claims = profile.claims.into_iter();
        let row = |(skill, level): (SkillId, Level)| SkillRow {
            label: self.vocabulary.label(&skill).to_owned(),
            skill,
            level,
        };
        Ok(Reply::Profile(ProfileReport { terms: profile.terms, claims: claims.map(row).collect() }))
    }

    fn lookup(&self, view: &Did) -> Result<Vec<u8>, Refusal> {
        if self.network.is_none() {
            return Err(Refusal::new(Exit::Network, "no node runs for this home", "start one: `knack up`"));
        }
        let view = view.public_key().ok_or_else(|| {
            Refusal::new(
                Exit::Usage,
                "a view's pseudonym is a did:key of an Ed25519 key",
                "see `knack query --json`",
            )
        })?;
        Ok(message::record_key(&view))
    }

    /// Of the records found, reports the newest that is the view's own.
    pub(super) fn record_found(&mut self, token: u64, values: &[Vec<u8>]) {
        let Some(Lookup { sender, view }) = self.lookups.remove(&token) else { return };
        let own = |item: &Item| Some(item.view()) == view.public_key();
        let rank = |item: &Item| match item {
            Item::Summary(s) => (s.body().sequence(), 0),
            Item::Tombstone(t) => (t.body().ceiling(), 1),
        };
        let items = values.iter().filter_map(|v| Item::decode(v).ok());
        let legal = |item: &Item| match item {
            Item::Summary(summary) => published::verify(summary.body()).is_ok(),
            Item::Tombstone(_) => true,
        };
        let newest = items.filter(own).filter(legal).max_by_key(rank);
        let report = RecordReport {
            view: view.to_string(),
            record: newest.as_ref().map(|item| match item {
                Item::Summary(_) => "summary".to_owned(),
                Item::Tombstone(_) => "tombstone".to_owned(),
            }),
            sequence: newest.as_ref().map(|item| rank(item).0),
            expires: newest.as_ref().map(Item::expires),
            content: newest.as_ref().and_then(|item| match item {
                Item::Summary(s) => Some(s.body().content().clone()),
                Item::Tombstone(_) => None,
            }),
        };
        let _ = sender.send(Ok(Reply::Record(Box::new(report))));
    }

    /// A skill by its URI or name.
    pub(super) fn skill(&self, name: &str) -> Result<SkillId, Refusal> {
        resolve(name, &self.vocabulary)
    }
}

struct Draft {
    content: Content,
    openings: Vec<Opening>,
    left_out: Vec<String>,
    attached: Attached,
}

fn resolve(name: &str, vocabulary: &Vocabulary) -> Result<SkillId, Refusal> {
    if let Ok(id) = name.parse::<SkillId>() {
        return Ok(id);
    }
    match vocabulary.resolve(name) {
        Resolution::Unique(id) => Ok(id),
        Resolution::Ambiguous(ids) => {
            let choices = ids.iter().map(|id| format!("{} <{id}>", vocabulary.label(id)));
            let choices = choices.collect::<Vec<_>>().join(", ");
            Err(Refusal::new(
                Exit::Usage,
                format!("`{name}` means several skills: {choices}"),
                "name one by its URI",
            ))
        }
        Resolution::Unknown { nearest } if nearest.is_empty() => {
            Err(Refusal::new(Exit::Usage, format!("no skill is called `{name}`"), "name a skill by its URI"))
        }
        Resolution::Unknown { nearest } => Err(Refusal::new(
            Exit::Usage,
            format!("no skill is called `{name}`"),
            format!("did you mean {}? A skill can also be named by its URI", nearest.join(", ")),
        )),
    }
}
