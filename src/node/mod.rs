//! The node: one loop that carries inputs to the peer and its outputs to the store, the index and the network.
//!
//! The peer decides; this module acts, in the order in which the peer said. A reply leaves only after the store was
//! flushed. When the disk refuses, the node stops with an error rather than confirm what it cannot keep.

mod importing;
mod issued;
mod issuing;
mod joining;
mod knowledge;
mod obtaining;
mod presenting;
mod proofs;
mod service;
mod shelf;
mod showing;
mod trusting;
pub mod verifying;
mod watching;
mod witness;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use knackmesh_protocol::{
    id::{Id, NodeId},
    peer::{
        Change, ChannelId, Command, CommandId, Failure, GossipId, Identity, Input, Lent, LookUpId, Output,
        Peer, Reach, Reply, RequestId, Verdict,
    },
    time::Timestamp,
    vocabulary::Vocabulary,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tracing::{debug, info, warn};

pub use self::{
    issuing::{id_of, signer},
    shelf::ShelfError,
    witness::Witness,
};
use self::{
    knowledge::Knowledge,
    obtaining::{Obtaining, Refresh},
    service::Wait,
    shelf::Shelf,
    trusting::Recognised,
};
use crate::{
    control::{self, Errand, Exit, Handle, Refusal, Request},
    home::{Config, Home, HomeError},
    network::{self, Network, NetworkConfig, NetworkError, Protocols, Trial},
    report::IndexReport,
    store::StoreError,
};

/// How long uncommitted summaries wait for company before the index commits them. Until then they are found all the same,
/// by looking at each; a commit costs milliseconds, whether of one summary or of hundreds.
const COMMIT_AFTER: Duration = Duration::from_secs(20);

/// Why a node cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The store or the index.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The control socket.
    #[error("the control socket: {0}")]
    Control(#[from] std::io::Error),
}

impl From<StoreError> for NodeError {
    fn from(e: StoreError) -> Self {
        NodeError::Shelf(e.into())
    }
}

impl From<NodeError> for Refusal {
    fn from(e: NodeError) -> Self {
        let hint = match &e {
            NodeError::Home(e) => return Refusal::new(Exit::Failed, e.to_string(), e.hint()),
            NodeError::Shelf(ShelfError::Store(e)) => e.hint().to_owned(),
            NodeError::Shelf(ShelfError::Index(_)) => {
                "stop the node, then `knack index rebuild`: all that the index knows is in the store"
                    .to_owned()
            }
            NodeError::Network(_) => "check --listen, --bootstrap and config.toml".to_owned(),
            NodeError::Control(_) => "check that you own the home folder".to_owned(),
        };
        let exit = match e {
            NodeError::Network(NetworkError::Address { .. }) => Exit::Usage,
            NodeError::Network(_) => Exit::Network,
            _ => Exit::Failed,
        };
        Refusal::new(exit, e.to_string(), hint)
    }
}

/// One home's node, with or without a network.
pub struct Node {
    home: Home,
    identity: Identity,
    vocabulary: Arc<Vocabulary>,
    trust: Recognised,
    knowledge: Knowledge,
    obtaining: Obtaining,
    refresh: Option<Refresh>,
    shelf: Shelf,
    peer: Peer,
    network: Option<Network>,
    inputs: VecDeque<Input>,
    waiting: BTreeMap<CommandId, Wait>,
    lookups: BTreeMap<u64, service::Lookup>,
    next_command: u64,
    channels: BTreeMap<ChannelId, network::ReplyTo>,
    next_channel: u64,
    gossip: BTreeMap<GossipId, network::GossipId>,
    next_gossip: u64,
    commit_at: Option<Instant>,
    remember_at: Instant,
    searches: u64,
    /// Something the holder did is not durable yet: nothing may leave before it is.
    unflushed: bool,
    summaries: watch::Sender<usize>,
    trial: Trial,
    witness: Option<Box<dyn Witness>>,
}

/// A node that runs in this process.
pub struct Running {
    /// For asking it.
    pub handle: Handle,
    /// Where it listens.
    pub listen: Vec<String>,
    /// How many summaries it can answer with.
    pub summaries: watch::Receiver<usize>,
    /// Its network, if it has one, to be looked at.
    pub network: Option<Network>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), NodeError>>,
}

impl Running {
    /// Stops the node and waits until it has let go of everything.
    ///
    /// # Errors
    /// Why it had ended before, or what it could not make durable.
    pub async fn stop(self) -> Result<(), NodeError> {
        self.run_until(std::future::ready(())).await
    }

    /// Lets the node run until `signal` resolves, then stops it.
    ///
    /// # Errors
    /// Why it ended before, or what it could not make durable.
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> Result<(), NodeError> {
        let Running { stop, mut task, .. } = self;
        let ended = tokio::select! {
            ended = &mut task => ended,
            () = signal => {
                let _ = stop.send(true);
                task.await
            }
        };
        ended.unwrap_or_else(|e| Err(NodeError::Control(std::io::Error::other(e))))
    }
}

impl Node {
    /// Makes the index of a home anew from its store.
    ///
    /// # Errors
    /// When the store or the disk cannot, or another process has the home open.
    pub fn rebuild_index(home: &Home) -> Result<IndexReport, NodeError> {
        home.keys()?;
        let shelf = Shelf::rebuild(&home.store(), &home.index(), Arc::new(Vocabulary::embedded()))?;
        Ok(IndexReport { summaries: shelf.indexed() })
    }

    /// Opens a home, without a network.
    ///
    /// # Errors
    /// When the home is not set up, or another process has it open.
    pub fn open(home: &Home) -> Result<Self, NodeError> {
        let keys = home.keys()?;
        let vocabulary = Arc::new(Vocabulary::embedded());
        let shelf = Shelf::open(&home.store(), &home.index(), vocabulary.clone())?;
        let identity = Identity {
            node_id: NodeId::of(&keys.node.public()),
            root: keys.root,
            view: keys.view,
            node: keys.node,
        };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(HomeError::Random)?;
        let peer = Peer::new(identity.clone(), seed, shelf.memory()?, now());
        Ok(Node {
            home: home.clone(),
            identity,
            vocabulary,
            trust: Recognised::new(shelf.store.trusted()?),
            knowledge: Knowledge::default(),
            obtaining: Obtaining::new(),
            refresh: None,
            shelf,
            peer,
            network: None,
            inputs: VecDeque::new(),
            waiting: BTreeMap::new(),
            lookups: BTreeMap::new(),
            next_command: 0,
            channels: BTreeMap::new(),
            next_channel: 0,
            gossip: BTreeMap::new(),
            next_gossip: 0,
            commit_at: None,
            remember_at: Instant::now() + joining::REMEMBER_SOON,
            searches: 0,
            unflushed: false,
            summaries: watch::Sender::new(0),
            trial: Trial::default(),
            witness: None,
        })
    }

    /// The same node, to be measured.
    pub fn measured(self, trial: Trial, witness: Box<dyn Witness>) -> Self {
        Node { trial, witness: Some(witness), ..self }
    }

    /// Carries out one request without a network.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn execute(&mut self, request: Request) -> Result<control::Reply, Refusal> {
        let (sender, mut receiver) = oneshot::channel();
        self.errand((request, sender)).await.map_err(Refusal::from)?;
        loop {
            self.settle().await?;
            if let Ok(answer) = receiver.try_recv() {
                return answer;
            }
            let Some(at) = self.peer.wake_at() else {
                return Err(Refusal::new(
                    Exit::Failed,
                    "the command came to no end",
                    "start a node with `knack up`",
                ));
            };
            tokio::select! {
                brought = self.obtaining.next() => self.brought(brought),
                () = tokio::time::sleep(at.until(now())) => self.inputs.push_back(Input::Wake),
            }
        }
    }

    /// Joins the network and serves until stopped.
    ///
    /// # Errors
    /// When an address cannot be listened on, or the control socket cannot be opened.
    pub async fn start(mut self, config: &Config) -> Result<Running, NodeError> {
        let listener = control::listen(&self.home)?;
        self.peer = self.peer.keeping(config.keeping.keeping());
        let remembered = joining::contacts(self.shelf.store.nodes()?);
        if let Some(until) = joining::expected(&config.bootstrap, &remembered) {
            self.peer = self.peer.joining(until);
        }
        let (network, events) = Network::start(NetworkConfig {
            key_seed: self.identity.node.seed(),
            listen: config.listen.clone(),
            announce: config.network.announce.clone(),
            bootstrap: config.bootstrap.clone(),
            remembered,
            topics: self.peer.topics(),
            protocols: Protocols::default(),
            discovery: true,
            reach: joining::reach(config.network.reachable),
            lan: config.network.lan,
            upnp: config.network.upnp,
            crowding: joining::crowding(&config.network),
            metrics: config.network.metrics,
            trial: self.trial.clone(),
        })
        .await?;
        let listen = network.snapshot().await?.listen;
        self.network = Some(network.clone());
        self.refresh = config.fetch.refresh_status.map(Refresh::new);
        let (handle, errands) = Handle::new();
        let (stop, stopped) = watch::channel(false);
        let summaries = self.summaries.subscribe();
        let task = tokio::spawn(self.run(listener, handle.clone(), errands, events, stopped));
        Ok(Running { handle, listen, summaries, network: Some(network), stop, task })
    }

    /// Serves without a network until stopped, so that one process keeps the home and others can ask it.
    ///
    /// # Errors
    /// When the control socket cannot be opened.
    pub fn start_alone(self) -> Result<Running, NodeError> {
        let listener = control::listen(&self.home)?;
        let (handle, errands) = Handle::new();
        let (stop, stopped) = watch::channel(false);
        let summaries = self.summaries.subscribe();
        let (silence, events) = mpsc::channel(1);
        let node = self.run(listener, handle.clone(), errands, events, stopped);
        let task = tokio::spawn(async move {
            // There is no network to tell anything; a closed channel would say that it had stopped.
            let _silence = silence;
            node.await
        });
        Ok(Running { handle, listen: Vec::new(), summaries, network: None, stop, task })
    }

    async fn run(
        mut self,
        listener: tokio::net::UnixListener,
        handle: Handle,
        mut errands: mpsc::Receiver<Errand>,
        mut events: mpsc::Receiver<network::Event>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(), NodeError> {
        self.recall_kept().await;
        self.inputs.push_back(Input::Wake);
        let result = loop {
            if let Err(e) = self.settle().await {
                break Err(e);
            }
            let wake = self.peer.wake_at().map(|at| Instant::now() + at.until(now()));
            let refresh = self.refresh.map(|refresh| refresh.at);
            let next = [wake, self.commit_at, refresh, Some(self.remember_at)].into_iter().flatten().min();
            let sleep = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.event(event).await,
                    None => break Err(NetworkError::Stopped.into()),
                },
                Some(errand) = errands.recv() => {
                    if let Err(e) = self.errand(errand).await {
                        break Err(e);
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let handle = handle.clone();
                        tokio::spawn(async move {
                            if let Err(e) = control::serve(stream, handle).await {
                                debug!(error = %e, "a command hung up");
                            }
                        });
                    }
                    Err(e) => warn!(error = %e, "the control socket"),
                },
                brought = self.obtaining.next() => self.brought(brought),
                () = sleep => {
                    self.refresh();
                    if self.remember_at <= Instant::now() {
                        self.remember_nodes().await;
                    }
                    if self.commit_at.is_some_and(|at| at <= Instant::now()) {
                        self.commit_at = None;
                        if let Err(e) = self.shelf.commit() {
                            break Err(ShelfError::from(e).into());
                        }
                    }
                    self.inputs.push_back(Input::Wake);
                }
                _ = stopped.changed() => break Ok(()),
            }
        };
        self.remember_nodes().await;
        if let Some(network) = self.network.take() {
            network.shutdown().await;
        }
        let _ = std::fs::remove_file(self.home.socket());
        let flushed = self.shelf.store.flush().map_err(NodeError::from);
        let committed = self.shelf.commit().map_err(|e| ShelfError::from(e).into());
        info!("stopped");
        result.and(flushed).and(committed)
    }

    /// What the network tells, as an input.
    async fn event(&mut self, event: network::Event) {
        let input = match event {
            network::Event::Listening { address } => {
                info!(%address, "listening");
                return;
            }
            network::Event::Connected { peer } => Input::Connected(peer),
            network::Event::Disconnected { peer } => Input::Disconnected(peer),
            network::Event::Gossip { message, from, topic, bytes } => {
                let id = GossipId(self.next_gossip);
                self.next_gossip += 1;
                self.gossip.insert(id, message);
                Input::Gossip { message: id, from, topic, bytes }
            }
            network::Event::Request { from, reply, bytes } => {
                let channel = ChannelId(self.next_channel);
                self.next_channel += 1;
                self.channels.insert(channel, reply);
                Input::Request { from, channel, bytes }
            }
            network::Event::Response { token, result } => {
                let result = result.map_err(|failure| match failure {
                    network::RequestFailure::Timeout => Failure::Timeout,
                    _ => Failure::Unreachable,
                });
                Input::Response { request: RequestId(token), result }
            }
            network::Event::RecordOffered { from: _, key, value } => Input::RecordOffered { key, value },
            network::Event::Closest { token, nodes, place } => {
                Input::Closest { look_up: LookUpId(token), nodes, place }
            }
            network::Event::RecordFound { token, values, effort: _ } => {
                self.record_found(token, &values);
                return;
            }
        };
        self.inputs.push_back(input);
    }

    /// Hands every input to the peer and carries out every output.
    async fn settle(&mut self) -> Result<(), NodeError> {
        self.trust.refresh();
        while let Some(input) = self.inputs.pop_front() {
            let outputs = self.decide(input);
            self.carry_out(outputs).await?;
        }
        if !self.waiting.values().any(|wait| matches!(wait, Wait::Query { .. })) {
            self.knowledge.end_searches();
        }
        let held = self.peer.summaries();
        self.summaries.send_if_modified(|count| std::mem::replace(count, held) != held);
        if self.commit_at.is_none() && self.shelf.is_uncommitted() {
            self.commit_at = Some(Instant::now() + COMMIT_AFTER);
        }
        Ok(())
    }

    fn decide(&mut self, input: Input) -> Vec<Output> {
        let (index, wallet) = (&self.shelf, &self.shelf);
        let (trust, known) = (&self.trust.list, self.knowledge.lent());
        let lent = Lent { index, wallet, trust, known, vocabulary: &self.vocabulary };
        let Some(witness) = &mut self.witness else { return self.peer.handle(now(), input, &lent) };
        witness.enters(&input);
        if let Some(outputs) = witness.instead(&input) {
            return outputs;
        }
        let mut outputs = self.peer.handle(now(), input, &lent);
        witness.amends(&mut outputs);
        outputs
    }

    async fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), NodeError> {
        for output in outputs {
            let leaves = !matches!(output, Output::Persist(_) | Output::Verdict(..));
            if leaves && std::mem::take(&mut self.unflushed) {
                self.shelf.store.flush()?;
            }
            if let Some(witness) = &mut self.witness {
                witness.leaves(&output);
            }
            match output {
                Output::Persist(change) => {
                    self.shelf.apply(&change)?;
                    if let Some(witness) = &mut self.witness {
                        witness.changed(&change);
                    }
                    // What other nodes publish can be fetched again; what the holder did cannot.
                    self.unflushed |= match &change {
                        Change::Keep(item) => item.view() == self.peer.view(),
                        Change::Forget(view) => *view == self.peer.view(),
                        Change::KeepCell(_) | Change::ForgetCell(_) => false,
                        Change::Publication { .. } | Change::Disclosed { .. } => true,
                    };
                }
                Output::Reply(id, reply) => self.reply(id, reply)?,
                Output::Verdict(id, verdict) => {
                    if let Some(message) = self.gossip.remove(&id) {
                        let verdict = match verdict {
                            Verdict::Accept => network::Verdict::Accept,
                            Verdict::Ignore => network::Verdict::Ignore,
                            Verdict::Reject => network::Verdict::Reject,
                        };
                        self.send(network::Command::GossipVerdict { message, verdict }).await?;
                    }
                }
                Output::Gossip { topic, bytes } => {
                    self.send(network::Command::Gossip { topic, bytes }).await?;
                }
                Output::Send { request, to, bytes } => self.request(request, to, bytes).await?,
                Output::Respond { channel, bytes } => {
                    if let Some(to) = self.channels.remove(&channel) {
                        self.send(network::Command::Respond { to, bytes }).await?;
                    }
                }
                Output::PutRecord { key, value, expires } => {
                    self.send(network::Command::PutRecord { key, value, expires }).await?;
                }
                Output::Closest { look_up, key, reach } => self.closest(look_up, key, reach).await?,
                Output::Subscribe { topics } => self.send(network::Command::Subscribe { topics }).await?,
                Output::KeepRecord { key, value, expires } => {
                    self.send(network::Command::StoreRecord { key, value, expires }).await?;
                }
                Output::Obtain { search, needs } => self.obtain(search, needs),
            }
        }
        Ok(())
    }

    /// The nodes nearest to a key; nobody without a network.
    async fn closest(&mut self, look_up: LookUpId, key: Vec<u8>, reach: Reach) -> Result<(), NodeError> {
        if self.network.is_none() {
            self.inputs.push_back(Input::Closest { look_up, nodes: Vec::new(), place: 0 });
            return Ok(());
        }
        let network = reach == Reach::Network;
        self.send(network::Command::Closest { token: look_up.0, key, network }).await
    }

    async fn request(&mut self, request: RequestId, to: NodeId, bytes: Vec<u8>) -> Result<(), NodeError> {
        if self.network.is_none() {
            self.inputs.push_back(Input::Response { request, result: Err(Failure::Unreachable) });
            return Ok(());
        }
        self.send(network::Command::Request { token: request.0, peer: to, addresses: Vec::new(), bytes })
            .await
    }

    /// Without a network, what would be sent is dropped: the peer repeats what matters once it has one.
    async fn send(&self, command: network::Command) -> Result<(), NodeError> {
        match &self.network {
            Some(network) => network.send(command).await.map_err(NodeError::from),
            None => Ok(()),
        }
    }

    fn command(&mut self, command: Command, wait: Wait) {
        let id = CommandId(self.next_command);
        self.next_command += 1;
        self.waiting.insert(id, wait);
        self.inputs.push_back(Input::Command(id, command));
    }

    fn reply(&mut self, id: CommandId, reply: Reply) -> Result<(), NodeError> {
        match self.waiting.remove(&id) {
            Some(wait) => self.finish(wait, reply),
            None => Ok(()),
        }
    }
}

/// The time, from the system's clock; before 1970 it is 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Sixteen random bytes, for the id of a credential.
///
/// # Errors
/// When the system gives none.
pub fn random_id() -> Result<[u8; 16], HomeError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(HomeError::Random)?;
    Ok(bytes)
}

/// A credential's id in short, for messages.
fn short(id: Id) -> String {
    id.short()
}
