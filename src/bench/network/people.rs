//! Who runs the nodes: people with a credential and two claims each, drawn from a handful of skills so that queries have answers.

use std::path::Path;

use knackmesh_protocol::{
    consent::Present,
    id::NodeId,
    key::PublicKey,
    skill::{Level, SkillId},
    vocabulary::Vocabulary,
};

use super::{Settings, mismatch};
use crate::{
    control::{self, Exit, ImportOrder, IssueOrder, ProfileOrder, Refusal, Reply, Request},
    home::{Config, Home},
    network::Trial,
    node::{Node, Running},
    sim::streams::{below, place, stream},
};

/// Skills that people have, besides the one of the crowd.
const SKILLS: usize = 24;
/// Skills of one person, of which the first is proven.
const SKILLS_EACH: usize = 3;

/// The skills in use: the commonest of the vocabulary.
pub struct Skills {
    /// Those that people have.
    pub common: Vec<SkillId>,
    /// The one that only the crowd has.
    pub crowded: SkillId,
}

impl Skills {
    /// Of the embedded vocabulary.
    pub fn of(vocabulary: &Vocabulary) -> Result<Self, Refusal> {
        let mut skills: Vec<_> = vocabulary.skills().iter().map(|s| (s.idf, s.id.clone())).collect();
        skills.sort();
        let mut skills: Vec<SkillId> = skills.into_iter().map(|(_, id)| id).take(SKILLS + 1).collect();
        let crowded = skills.pop().ok_or_else(mismatch)?;
        Ok(Skills { common: skills, crowded })
    }
}

/// A person and the node that it runs.
pub struct Person {
    /// For asking it, as the command line does.
    pub home: Home,
    /// Its pseudonym.
    pub view: PublicKey,
    /// Its skills.
    pub skills: Vec<SkillId>,
    /// How the node is run.
    pub config: Config,
    /// The node, while it runs.
    pub node: Option<Running>,
}

/// A home with keys and credentials, whose node has not joined the network yet.
pub struct Prepared {
    /// The node.
    pub node: Node,
    /// Its peer id.
    pub id: NodeId,
    /// Who runs it.
    pub person: Person,
}

/// Sets one home up, by what the seed says of this number.
pub async fn prepare(
    dir: &Path,
    number: u32,
    settings: &Settings,
    skills: &Skills,
    issuer: &mut Node,
) -> Result<Prepared, Refusal> {
    let rng = &mut stream(settings.seed, number, "person");
    let mut own: Vec<SkillId> = Vec::new();
    while own.len() < SKILLS_EACH.min(skills.common.len()) {
        let skill = &skills.common[place(rng, skills.common.len())];
        if !own.contains(skill) {
            own.push(skill.clone());
        }
    }
    let mut level = || Level::try_from(1 + below(rng, 5) as u8).unwrap_or(Level::MIN);
    let home = Home::find(Some(dir.join(number.to_string())))?;
    home.init()?;
    let keys = home.keys()?;
    let mut node = Node::open(&home)?;
    if let Some((proven, claimed)) = own.split_first() {
        let order = IssueOrder::new(keys.root.did(), vec![proven.to_string()], level());
        let Reply::Issued(text) = issuer.execute(Request::Issue(Box::new(order))).await? else {
            return Err(mismatch());
        };
        node.execute(Request::Import(ImportOrder { name: "credential.json".into(), text, email: None }))
            .await?;
        let claim = claimed.iter().map(|skill| (skill.to_string(), level())).collect();
        let profile = ProfileOrder { terms: None, claim, drop: Vec::new() };
        node.execute(Request::Profile(profile)).await?;
    }
    let config = settings.config(number as usize);
    let (id, view) = (NodeId::of(&keys.node.public()), keys.view.public());
    let person = Person { home, view, skills: own, config, node: None };
    Ok(Prepared { node, id, person })
}

/// How a node is run so that it can be looked at.
pub fn trial(settings: &Settings) -> Trial {
    Trial { counters: true, peers_high: settings.connections, ..Trial::default() }
}

impl Person {
    /// Asks the running node through its control socket.
    pub async fn ask(&self, request: &Request) -> Result<Reply, Refusal> {
        control::ask(&self.home.socket(), request)
            .await
            .unwrap_or_else(|| Err(Refusal::new(Exit::Failed, "a node has stopped", "look at RUST_LOG=info")))
    }

    /// Publishes, for the time that a measurement may take.
    pub async fn publish(&self) -> Result<(), Refusal> {
        const LEASE_MS: u64 = 24 * 3600 * 1000;
        let request =
            Request::Publish { lease_ms: LEASE_MS, present: Present::Anyone, proofs: Default::default() };
        self.ask(&request).await.map(drop)
    }
}
