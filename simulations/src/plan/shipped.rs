//! The scenarios that ship with the simulator: `simulations/scenarios/`, one a file and a line here, with the files that it names.

use super::{Assignment, Lending, Plan, PlanError};

/// A scenario that runs as it is, and a beginning for one's own.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name, and its file's without the ending.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
    /// The files that it names, and what they hold.
    pub files: &'static [(&'static str, &'static str)],
}

macro_rules! shipped {
    ($($name:literal $(with $file:literal)?),* $(,)?) => {
        /// Every shipped scenario; the first is the one to begin with.
        pub static SHIPPED: &[Shipped] = &[$(
            Shipped {
                name: $name,
                text: include_str!(concat!("../../scenarios/", $name, ".toml")),
                files: &[$(($file, include_str!(concat!("../../scenarios/", $file))))?],
            },
        )*];
    };
}

shipped![
    "first-steps",
    "loss",
    "partition",
    "withdrawal",
    "newcomers",
    "churn",
    "churn-trace" with "stays.csv",
    "latency-king" with "round-trips.csv",
    "latency-gml" with "graph.gml",
    "partition-regions",
    "occupations",
    "mesh",
    "cells",
    "cells-split",
    "cells-censor",
    "cells-flood",
    "cells-large",
    "kademlia-lookups",
    "kademlia-churn",
    "validation",
    "validation-look-ups",
    "kademlia-regions",
    "kademlia-graph" with "graph.gml",
    "attack-garbage",
    "attack-replay",
    "attack-forge",
    "attack-impostor",
    "attack-tamper",
    "attack-frames",
    "attack-endless",
    "attack-pry",
    "attack-sybil",
    "attack-eclipse",
    "attack-cold-boot",
    "attack-censor",
    "attack-flood",
    "attack-flash",
    "attack-scrape",
];

impl Shipped {
    /// Its plan, with settings that replace what it says.
    ///
    /// # Errors
    /// When a setting is refused.
    pub fn plan(&self, settings: &[Assignment]) -> Result<Plan, PlanError> {
        Plan::read_lent(self.text, settings, &Lending::new(|name| self.lend(name)))
    }

    /// What a file that it names holds.
    ///
    /// # Errors
    /// When it names no such file.
    pub fn lend(&self, name: &str) -> Result<String, String> {
        let file = self.files.iter().find(|(known, _)| *known == name);
        file.map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| "no such file ships with this scenario".to_owned())
    }

    /// The shipped scenario of a name.
    pub fn named(name: &str) -> Option<&'static Shipped> {
        SHIPPED.iter().find(|shipped| shipped.name == name)
    }

    /// The one whose name is nearest.
    pub fn nearest(name: &str) -> Option<&'static Shipped> {
        SHIPPED.iter().min_by_key(|shipped| strsim::damerau_levenshtein(shipped.name, name))
    }
}
