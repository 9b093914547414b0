//! Statements in others' names, signed with the forger's own key: higher sequences that lead to the forger's node, and
//! tombstones that would erase people.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    consent::Present,
    id::Id,
    key::{PublicKey, SecretKey, Signature},
    message::{Envelope, Item, Leads, Request, Response},
    peer::{Input, Output},
    skill::{Level, SkillId, Tier},
    summary::{Backing, Content, Reach, Summary, Terms},
    time::Timestamp,
    wire,
};
use serde::Serialize;

use super::{Behaviour, Stage};

/// Victims remembered.
const VICTIMS_MAX: usize = 200;

#[derive(Default)]
pub(super) struct Forge {
    victims: BTreeSet<PublicKey>,
    example: Option<Summary>,
}

/// A signed statement as it looks on the wire, whoever signed it.
#[derive(Serialize)]
struct Signed {
    #[serde(with = "wire::bytes")]
    body: Vec<u8>,
    signature: Signature,
}

#[derive(Serialize)]
struct ForgedSummary<'a> {
    view: PublicKey,
    sequence: u64,
    issued: Timestamp,
    expires: Timestamp,
    content: &'a Content,
    reach: Reach,
    present: Present,
    consent: Id,
}

#[derive(Serialize)]
struct ForgedTombstone {
    view: PublicKey,
    ceiling: u64,
    issued: Timestamp,
    until: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ForgedItem {
    Summary(Signed),
    Tombstone(Signed),
}

#[derive(Serialize)]
struct ForgedClaim<'a> {
    skill: &'a SkillId,
    level: Level,
    tier: Tier,
    backing: Backing,
}

#[derive(Serialize)]
struct ForgedContent<'a> {
    claims: [ForgedClaim<'a>; 1],
    headline: &'a str,
    terms: Terms,
}

/// A content with one claim that no honest draft would make: an issuer's tier at the highest level.
pub fn content(skill: &SkillId, backing: Backing) -> Option<Content> {
    let claims = [ForgedClaim { skill, level: Level::MAX, tier: Tier::Issuer, backing }];
    let bytes = wire::encode(&ForgedContent { claims, headline: "", terms: Terms::default() });
    wire::decode(&bytes, bytes.len()).ok()
}

fn sign<T: Serialize>(domain: &str, body: &T, key: &SecretKey) -> Signed {
    let body = wire::encode(body);
    let mut input = format!("knackmesh/1 {domain}\0").into_bytes();
    input.extend_from_slice(&body);
    Signed { body, signature: key.sign(&input) }
}

/// A summary of somebody who does not exist, legal in every way, for an hour.
pub(super) fn of_nobody(stage: &Stage<'_>, nobody: &SecretKey, content: &Content) -> Vec<u8> {
    let invented = ForgedSummary {
        view: nobody.public(),
        sequence: 1,
        issued: stage.now,
        expires: stage.now.plus_ms(3_600_000),
        content,
        reach: Reach::Direct(stage.identity.node_id.clone()),
        present: Present::Ask,
        consent: Id([0; 32]),
    };
    wire::encode(&ForgedItem::Summary(sign("summary", &invented, nobody)))
}

impl Forge {
    fn note(&mut self, item: &Item) {
        if let Item::Summary(summary) = item {
            self.example.get_or_insert_with(|| summary.body().clone());
            if self.victims.len() < VICTIMS_MAX {
                self.victims.insert(item.view());
            }
        }
    }

    fn summary(&self, stage: &Stage<'_>, view: PublicKey) -> Option<Signed> {
        let forged = ForgedSummary {
            view,
            sequence: u64::MAX,
            issued: stage.now,
            expires: stage.now.plus_ms(3_600_000),
            content: self.example.as_ref()?.content(),
            reach: Reach::Direct(stage.identity.node_id.clone()),
            present: Present::Anyone,
            consent: Id([0; 32]),
        };
        Some(sign("summary", &forged, &stage.identity.view))
    }

    fn tombstone(&self, stage: &Stage<'_>, view: PublicKey) -> Signed {
        let until = stage.now.plus_ms(3_600_000);
        let forged = ForgedTombstone { view, ceiling: u64::MAX, issued: stage.now, until };
        sign("tombstone", &forged, &stage.identity.view)
    }
}

impl Behaviour for Forge {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        match input {
            Input::Gossip { bytes, .. } => {
                if let Ok(item) = Item::decode(bytes) {
                    self.note(&item);
                }
                None
            }
            Input::Request { channel, bytes, .. } => {
                let Ok(Request::Find { .. }) = Request::decode(bytes) else { return None };
                let forged = self.victims.iter().filter_map(|view| self.summary(stage, *view));
                let summaries = forged.map(|signed| Envelope(wire::encode(&signed))).take(150).collect();
                let leads =
                    Leads { summaries, matched: 0, held: 0, reconciled: Some(stage.now), ..Leads::default() };
                Some(vec![Output::Respond { channel: *channel, bytes: Response::Leads(leads).encode() }])
            }
            _ => None,
        }
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let at = stage.now.unix_ms() as usize / 1000;
        let Some(view) = self.victims.iter().nth(at % self.victims.len().max(1)).copied() else {
            return Vec::new();
        };
        let mut items = vec![ForgedItem::Tombstone(self.tombstone(stage, view))];
        items.extend(self.summary(stage, view).map(ForgedItem::Summary));
        let gossip =
            |item| Output::Gossip { topic: "/knack/1/announce/0".into(), bytes: wire::encode(&item) };
        items.into_iter().map(gossip).collect()
    }
}
