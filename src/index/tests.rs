#![allow(clippy::unwrap_used)]

mod durability;
mod exactness;

use std::sync::Arc;

use knackmesh_protocol::{
    consent::{Consent, Present},
    id::{Id, NodeId},
    key::{Did, SecretKey},
    limits::{LEASE_DEFAULT_MS, SUMMARY_BYTES_MAX},
    query::{Query, parse},
    signed::Signed,
    skill::{Level, SkillId, Tier},
    summary::{Backing, Content, Month, Reach, Summary, Terms},
    time::Timestamp,
    vocabulary::Vocabulary,
    wire,
};
use serde::Serialize;

fn now() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

/// Words that several labels share, so that phrases have something to get wrong.
fn vocabulary() -> Arc<Vocabulary> {
    let table = "urn:s:a\tKNACK\tDistributed systems\t\t\t4000\n\
        urn:s:b\tKNACK\tsystems engineering\t\t\t2500\n\
        urn:s:c\tKNACK\tC++\t\t\t1000\n\
        urn:s:d\tKNACK\tİstanbul-design (distributed)\t\t\t0\n\
        urn:s:e\tKNACK\tengineering\t\t\t16000\n";
    Arc::new(Vocabulary::from_tsv(table).unwrap())
}

/// One claim: skill, level, tier, and issuer with month when it is backed.
type Stated = (SkillId, Level, Tier, Option<(Did, Month)>);

#[derive(Serialize)]
struct ClaimDraft {
    skill: SkillId,
    level: Level,
    tier: Tier,
    #[serde(skip_serializing_if = "Option::is_none")]
    backing: Option<Backing>,
}

#[derive(Serialize)]
struct ContentDraft {
    claims: Vec<ClaimDraft>,
    headline: String,
    terms: Terms,
}

/// The summary of the view `seed`, as a peer could send it.
fn summary(seed: u8, claims: Vec<Stated>, headline: &str, terms: Terms) -> Summary {
    let claim = |(skill, level, tier, backed): Stated| {
        let backing = backed.map(|(issuer, awarded)| Backing { issuer, awarded, commitment: Id([0; 32]) });
        ClaimDraft { skill, level, tier, backing }
    };
    let claims = claims.into_iter().map(claim).collect();
    let bytes = wire::encode(&ContentDraft { claims, headline: headline.to_owned(), terms });
    let content: Content = wire::decode(&bytes, SUMMARY_BYTES_MAX).unwrap();
    let key = SecretKey::from_seed([seed; 32]);
    let consent = Consent::give(key.public(), content, Present::Anyone, now(), LEASE_DEFAULT_MS).unwrap();
    let node = NodeId::from_bytes(vec![0; 34]).unwrap();
    Summary::new(&Signed::sign(consent, &key), 1, Reach::Direct(node), now()).unwrap()
}

/// The summary of the view `seed`, with one bare claim.
fn claiming(seed: u8, skill: &str, level: u8) -> Summary {
    let claim = (skill.parse().unwrap(), Level::try_from(level).unwrap(), Tier::Claimed, None);
    summary(seed, vec![claim], "", Terms::default())
}

fn query(source: &str) -> Query {
    parse(source, &vocabulary(), now()).unwrap().query
}
