//! Level: each level above the one asked for adds a tenth.

use super::{Context, Signal};

pub(super) static SIGNAL: Signal = Signal {
    name: "level",
    factor: |c| 1000 + 100 * u64::from(c.standing.level.get().saturating_sub(c.asked.get())),
    reason: |c: &Context<'_>| format!("level {}, asked {}", c.standing.level, c.asked),
};
