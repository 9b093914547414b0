//! Recency: a proven skill loses a hundredth for each month since its award, down to a half. A claim without an award
//! is not aged: its tier already says that nothing is known of it.

use super::{Context, Signal};

const PER_MONTH: u64 = 10;
const LEAST: u64 = 500;

pub(super) static SIGNAL: Signal = Signal {
    name: "recency",
    factor: |c| (1000u64).saturating_sub(PER_MONTH * u64::from(months(c))).max(LEAST),
    reason: |c| format!("awarded {} months ago", months(c)),
};

fn months(c: &Context<'_>) -> u32 {
    c.standing.award.as_ref().map_or(0, |a| a.awarded.until(c.now))
}
