//! The scenarios that ship with the simulator: `simulations/scenarios/`, one a file and a line here.

/// A scenario that runs as it is, and a beginning for one's own.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name, and its file's without the ending.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// Every shipped scenario; the first is the one to begin with.
        pub static SHIPPED: &[Shipped] = &[$(
            Shipped { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) },
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
    "kademlia-lookups",
    "kademlia-churn",
    "validation",
    "validation-look-ups",
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
    /// The shipped scenario of a name.
    pub fn named(name: &str) -> Option<&'static Shipped> {
        SHIPPED.iter().find(|shipped| shipped.name == name)
    }

    /// The one whose name is nearest.
    pub fn nearest(name: &str) -> Option<&'static Shipped> {
        SHIPPED.iter().min_by_key(|shipped| strsim::damerau_levenshtein(shipped.name, name))
    }
}
