//! Recognition: an issuer that the seeker does not list earns three quarters; one that the seeker distrusts, a tenth:
//! less than the holder's bare word.

use super::{Context, Signal};
use crate::ranking::Recognition;

pub(super) static SIGNAL: Signal = Signal {
    name: "recognition",
    factor: |c| match recognition(c) {
        None | Some(Recognition::Listed) => 1000,
        Some(Recognition::Unlisted) => 750,
        Some(Recognition::Distrusted) => 100,
    },
    reason: |c| match recognition(c) {
        Some(Recognition::Distrusted) => "issuer distrusted".to_owned(),
        Some(Recognition::Unlisted) => "issuer not on the trust list".to_owned(),
        Some(Recognition::Listed) | None => "issuer recognised".to_owned(),
    },
};

fn recognition(c: &Context<'_>) -> Option<Recognition> {
    c.standing.award.as_ref().map(|a| a.recognition)
}
