//! Tier: how much of the share a claim earns by how well it is backed. The holder's word earns a quarter: at its
//! highest level, 350 thousandths, it stays below what an issuer's proof of the level asked for earns at any age, 500.

use super::{Context, Signal};
use crate::skill::Tier;

pub(super) static SIGNAL: Signal = Signal {
    name: "tier",
    factor: |c| match c.standing.tier {
        Tier::Claimed => 250,
        Tier::Evidence => 400,
        Tier::Peer => 600,
        Tier::Issuer => 1000,
        Tier::Accredited => 1200,
    },
    reason: |c: &Context<'_>| match c.standing.tier {
        Tier::Claimed => "claimed, not proven".to_owned(),
        tier => format!("proven, tier {tier}"),
    },
};
