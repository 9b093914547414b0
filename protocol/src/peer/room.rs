//! Whose the room is, once there is none left.
//!
//! Nobody is refused while there is room. Once it is used up, those for whom a recognised issuer vouches go first, up to a share
//! for each issuer; the rest is shared evenly by the parties that brought the others. Whoever brought most makes room for whoever
//! brought less, so that a flood drowns itself.

use std::collections::{BTreeMap, BTreeSet};

use super::party::Party;
use crate::{key::Did, limits::ISSUER_PART};

/// Where a summary comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Who brought it; nobody where it is our own.
    pub party: Option<Party>,
    /// A recognised issuer whose proof it carries.
    pub issuer: Option<Did>,
}

impl Origin {
    /// Our own.
    pub const OWN: Origin = Origin { party: None, issuer: None };

    /// Brought by a party, vouched for by nobody.
    pub fn brought(party: Party) -> Self {
        Origin { party: Some(party), issuer: None }
    }
}

/// By what right a summary is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Own,
    /// Vouched for by an issuer, which is the so-maniest.
    Vouched(u32),
    Brought(Party),
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// Summaries for which there is room.
    pub summaries_max: usize,
    /// Recognised issuers, and for how many summaries each vouches.
    issuers: Vec<(Did, usize)>,
    /// What each party brought; counted from when there is no room until there is some again.
    pressure: Option<Pressure>,
}

#[derive(Clone, Debug, Default)]
struct Pressure {
    brought: BTreeMap<Party, u32>,
    by_count: BTreeSet<(u32, Party)>,
}

impl Pressure {
    fn change(&mut self, party: Party, by: i32) {
        let count = self.brought.entry(party).or_default();
        self.by_count.remove(&(*count, party));
        *count = count.saturating_add_signed(by);
        if *count > 0 {
            self.by_count.insert((*count, party));
        } else {
            self.brought.remove(&party);
        }
    }
}

impl Room {
    pub fn new(summaries_max: usize) -> Self {
        Room { summaries_max, issuers: Vec::new(), pressure: None }
    }

    /// By what right a summary of this origin would be held.
    pub fn standing(&self, origin: &Origin) -> Standing {
        let Some(party) = origin.party else { return Standing::Own };
        let place = origin.issuer.as_ref().map(|issuer| {
            let known = self.issuers.iter().position(|(known, _)| known == issuer);
            known.unwrap_or(self.issuers.len())
        });
        let share = self.summaries_max / ISSUER_PART;
        let has_share = |place: &usize| self.issuers.get(*place).is_none_or(|(_, count)| *count < share);
        match place.filter(has_share).and_then(|place| u32::try_from(place).ok()) {
            Some(place) => Standing::Vouched(place),
            None => Standing::Brought(party),
        }
    }

    /// Counts, from now on, who brought what. `held` is everything that is held.
    pub fn begin_pressure(&mut self, held: impl Iterator<Item = Standing>) {
        if self.pressure.is_some() {
            return;
        }
        let mut pressure = Pressure::default();
        for standing in held {
            if let Standing::Brought(party) = standing {
                *pressure.brought.entry(party).or_default() += 1;
            }
        }
        pressure.by_count = pressure.brought.iter().map(|(party, count)| (*count, *party)).collect();
        self.pressure = Some(pressure);
    }

    pub fn is_pressed(&self) -> bool {
        self.pressure.is_some()
    }

    /// Who makes room for a summary: whoever brought most, if the newcomer's party has brought less.
    pub fn yields_to(&self, newcomer: Standing) -> Option<Party> {
        let pressure = self.pressure.as_ref()?;
        let (most, party) = *pressure.by_count.last()?;
        let own = match newcomer {
            Standing::Own | Standing::Vouched(_) => return Some(party),
            Standing::Brought(own) => pressure.brought.get(&own).copied().unwrap_or(0),
        };
        (own + 1 < most).then_some(party)
    }

    pub fn enter(&mut self, origin: &Origin, standing: Standing) {
        match standing {
            Standing::Own => {}
            Standing::Vouched(place) => match (self.issuers.get_mut(place as usize), &origin.issuer) {
                (Some((_, count)), _) => *count += 1,
                (None, Some(issuer)) => self.issuers.push((issuer.clone(), 1)),
                (None, None) => {}
            },
            Standing::Brought(party) => self.change(party, 1),
        }
    }

    /// A summary left; `held` is how many are still held.
    pub fn leave(&mut self, standing: Standing, held: usize) {
        match standing {
            Standing::Own => {}
            Standing::Vouched(place) => {
                if let Some((_, count)) = self.issuers.get_mut(place as usize) {
                    *count = count.saturating_sub(1);
                }
            }
            Standing::Brought(party) => self.change(party, -1),
        }
        if held.saturating_mul(10) < self.summaries_max.saturating_mul(9) {
            self.pressure = None;
        }
    }

    fn change(&mut self, party: Party, by: i32) {
        if let Some(pressure) = &mut self.pressure {
            pressure.change(party, by);
        }
    }
}
