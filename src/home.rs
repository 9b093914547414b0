//! A home: the folder that holds one person's (or one organisation's) keys, store, index and settings.
//!
//! ```text
//! config.toml   listen addresses, bootstrap nodes, how it stands in the network, what may be fetched, as what it issues
//! keys/         root, view and node: 64 hexadecimal digits each, readable by the owner only
//! store/        what must not be lost      index/   what can be rebuilt from it      cache/   what can be fetched again
//! control.sock  the running node's socket, open to the owner only
//! ```

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use knackmesh_protocol::{
    key::{Did, SecretKey},
    limits::SUMMARIES_MAX,
    message::Replica,
    peer::Keeping,
};
use serde::{Deserialize, Serialize};

/// The variable that names the home.
pub const VARIABLE: &str = "KNACK_HOME";

/// The longest path that a Unix socket can have on every system we run on, with room.
const SOCKET_PATH_MAX: usize = 100;

/// A home folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    dir: PathBuf,
}

/// The keys of a home.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Subject and issuer of credentials.
    pub root: SecretKey,
    /// The pseudonym of the one view.
    pub view: SecretKey,
    /// The node's key on the network.
    pub node: SecretKey,
}

/// What `config.toml` says.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
    /// Multiaddresses of nodes to join the network by.
    pub bootstrap: Vec<String>,
    /// How the node stands in the network.
    pub network: NetworkSettings,
    /// How much of what others publish is kept.
    pub keeping: KeepingSettings,
    /// How documents are fetched from the web.
    pub fetch: FetchSettings,
    /// As what this home issues.
    pub issuer: IssuerSettings,
}

/// What `config.toml` says under `[keeping]`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct KeepingSettings {
    /// Which summaries of others are kept.
    pub replica: ReplicaSetting,
    /// Summaries for which there is room, at most 200,000.
    pub summaries: usize,
}

impl Default for KeepingSettings {
    fn default() -> Self {
        KeepingSettings { replica: ReplicaSetting::default(), summaries: Keeping::default().summaries_max }
    }
}

impl KeepingSettings {
    /// The settings in the protocol's terms.
    pub fn keeping(&self) -> Keeping {
        Keeping {
            replica: match self.replica {
                ReplicaSetting::Auto => None,
                ReplicaSetting::Full => Some(Replica::Full),
                ReplicaSetting::Cells => Some(Replica::Cells),
                ReplicaSetting::None => Some(Replica::None),
            },
            summaries_max: self.summaries.clamp(1, SUMMARIES_MAX),
            ..Keeping::default()
        }
    }
}

/// Which summaries of others a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaSetting {
    /// All while there is room, and cells from then on.
    #[default]
    Auto,
    /// All, as long as there is room.
    Full,
    /// Those of the cells that the network places on the node.
    Cells,
    /// None.
    None,
}

/// What `config.toml` says under `[network]`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// Multiaddresses under which the node can be reached although it does not listen on them: ports that a router forwards.
    pub announce: Vec<String>,
    /// Whether others can connect to this node: as they find (`tested`), or by the owner's word.
    pub reachable: Reachable,
    /// Whether the router may be asked to let connections in (UPnP).
    pub upnp: bool,
    /// Whether this is the network of a local network: nodes are looked for there, and its addresses count as reachable.
    pub lan: bool,
    /// Inbound connections that one address group (IPv4 /24, IPv6 /48) may have.
    pub connections_per_group: usize,
    /// Whether this machine itself counts as such a group, for tests.
    pub count_loopback: bool,
    /// Whether connections and messages are counted, for `knack up --metrics`, which sets it.
    #[serde(skip)]
    pub metrics: bool,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        NetworkSettings {
            announce: Vec::new(),
            reachable: Reachable::default(),
            upnp: true,
            lan: false,
            connections_per_group: knackmesh_protocol::limits::CONNECTIONS_PER_GROUP_MAX,
            count_loopback: false,
            metrics: false,
        }
    }
}

/// Whether others can connect to a node.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Reachable {
    /// As others find when they try.
    #[default]
    Tested,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// What `config.toml` says under `[issuer]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerSettings {
    /// The issuer's DID: a `did:web` whose document lists this home's keys. This home's `did:key` when absent.
    pub did: Option<Did>,
    /// The fragment under which that document lists the Ed25519 key, without `#`. As `knack did web` writes it when absent.
    pub key: Option<String>,
    /// The same for the P-256 key, which ES256 signs with.
    pub p256_key: Option<String>,
    /// What the issuer calls itself in credentials.
    pub name: Option<String>,
    /// The URL below which status lists are published. Without it, credentials have no status.
    pub status_url: Option<String>,
}

/// What `config.toml` says under `[fetch]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct FetchSettings {
    /// A PEM file with certificates of authorities to trust besides the built-in ones.
    pub ca: Option<PathBuf>,
    /// Whether URLs may lead to this machine itself, with http as well.
    pub allow_loopback: bool,
    /// How old a status list of a kept credential gets before the running node fetches it again, so that what it presents is
    /// fresh: a duration such as `12h`, a second at least. Never when absent: whoever publishes the list learns that the
    /// node is up.
    #[serde(with = "duration", skip_serializing_if = "Option::is_none")]
    pub refresh_status: Option<Duration>,
}

/// Durations as people write them.
mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(duration: &Option<Duration>, s: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => s.collect_str(&humantime::format_duration(*duration)),
            None => s.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(d)?;
        let duration = humantime::parse_duration(&text).map_err(D::Error::custom)?;
        if duration < Duration::from_secs(1) {
            return Err(D::Error::custom("a second at least"));
        }
        Ok(Some(duration))
    }
}

impl Default for Config {
    fn default() -> Self {
        let listen = ["/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0"];
        Config {
            listen: listen.map(str::to_owned).to_vec(),
            bootstrap: Vec::new(),
            network: NetworkSettings::default(),
            keeping: KeepingSettings::default(),
            fetch: FetchSettings::default(),
            issuer: IssuerSettings::default(),
        }
    }
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// No folder was named and none can be guessed.
    #[error("no home folder: HOME is not set")]
    Nowhere,
    /// Nothing was set up there.
    #[error("{0} is not set up")]
    Missing(PathBuf),
    /// A key is damaged.
    #[error("{0} is not a key: 64 hexadecimal digits expected")]
    Key(PathBuf),
    /// The settings are damaged.
    #[error("{0}: {1}")]
    Config(PathBuf, toml::de::Error),
    /// The file system refused.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// No randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

impl HomeError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            HomeError::Nowhere => format!("name a folder with --home DIR or {VARIABLE}"),
            HomeError::Missing(dir) => format!("set it up with `knack --home {} init`", dir.display()),
            HomeError::Key(path) => {
                format!("restore {} from a backup; it cannot be made again", path.display())
            }
            HomeError::Config(path, _) => {
                format!("mend or delete {}; its defaults are written by `knack init`", path.display())
            }
            HomeError::Io(_, e) if e.kind() == io::ErrorKind::StorageFull => {
                "free some space and try again".into()
            }
            HomeError::Io(path, _) => format!("check that you own {} and may write there", path.display()),
            HomeError::Random(_) => "check that the system is complete (getrandom)".into(),
        }
    }
}

impl Home {
    /// The folder named, else the one in `KNACK_HOME`, else `~/.knackmesh`.
    ///
    /// # Errors
    /// [`HomeError::Nowhere`] when none of them is known.
    pub fn find(named: Option<PathBuf>) -> Result<Self, HomeError> {
        let variable = || std::env::var_os(VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from);
        let usual = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".knackmesh"));
        let dir = named.or_else(variable).or_else(usual).ok_or(HomeError::Nowhere)?;
        Ok(Home { dir: std::path::absolute(&dir).map_err(|e| HomeError::Io(dir, e))? })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    /// The index's folder.
    pub fn index(&self) -> PathBuf {
        self.dir.join("index")
    }

    /// The folder of what was fetched.
    pub fn cache(&self) -> PathBuf {
        self.dir.join("cache")
    }

    /// The running node's socket. A home whose path is too long for a socket has it in the folder for temporary files,
    /// in a folder of its own that only the owner can open.
    pub fn socket(&self) -> PathBuf {
        let here = self.dir.join("control.sock");
        if here.as_os_str().len() <= SOCKET_PATH_MAX {
            return here;
        }
        let hash = knackmesh_protocol::id::Id::of(self.dir.as_os_str().as_encoded_bytes()).short();
        std::env::temp_dir().join(format!("knack-{hash}")).join("control.sock")
    }

    /// Sets the home up: folders, keys, settings. What exists is kept; says whether anything was made.
    ///
    /// # Errors
    /// When the file system or the random number generator refuses, or a file there is damaged.
    pub fn init(&self) -> Result<bool, HomeError> {
        let keys = self.dir.join("keys");
        // The home itself may have been there before, open to others; what is in it must not be.
        for dir in [&self.dir, &keys, &self.store(), &self.index()] {
            private_dir(dir)?;
        }
        let mut made = false;
        for name in ["root", "view", "node"] {
            let path = keys.join(name);
            if !path.exists() {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(HomeError::Random)?;
                let digits = knackmesh_protocol::wire::hex(&seed);
                write_new(&path, digits.as_bytes())?;
                made = true;
            }
        }
        let config = self.dir.join("config.toml");
        if !config.exists() {
            let text = toml::to_string(&Config::default()).unwrap_or_default();
            write_new(&config, text.as_bytes())?;
            made = true;
        }
        self.keys()?;
        self.config()?;
        Ok(made)
    }

    /// The same with a given key of the node, for a home that does not exist yet: a key that is there is replaced.
    ///
    /// # Errors
    /// As for [`init`](Self::init).
    pub(crate) fn init_with_node_key(&self, key: &SecretKey) -> Result<(), HomeError> {
        let keys = self.dir.join("keys");
        for dir in [&self.dir, &keys] {
            private_dir(dir)?;
        }
        write_new(&keys.join("node"), knackmesh_protocol::wire::hex(&key.seed()).as_bytes())?;
        self.init().map(drop)
    }

    /// The keys.
    ///
    /// # Errors
    /// When the home is not set up or a key is damaged.
    pub fn keys(&self) -> Result<Keys, HomeError> {
        let key = |name: &str| {
            let path = self.dir.join("keys").join(name);
            let digits = match fs::read_to_string(&path) {
                Ok(digits) => digits,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    return Err(HomeError::Missing(self.dir.clone()));
                }
                Err(e) => return Err(HomeError::Io(path, e)),
            };
            let id: knackmesh_protocol::id::Id = digits.trim().parse().map_err(|_| HomeError::Key(path))?;
            Ok(SecretKey::from_seed(id.0))
        };
        Ok(Keys { root: key("root")?, view: key("view")?, node: key("node")? })
    }

    /// The settings.
    ///
    /// # Errors
    /// When `config.toml` is damaged; a missing one means the defaults.
    pub fn config(&self) -> Result<Config, HomeError> {
        let path = self.dir.join("config.toml");
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|e| HomeError::Config(path, e)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
            Err(e) => Err(HomeError::Io(path, e)),
        }
    }
}

/// Makes a folder that only its owner can open.
pub(crate) fn private_dir(dir: &Path) -> Result<(), HomeError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| HomeError::Io(dir.to_owned(), e))
}

/// Writes a file that only its owner can read; whole, or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let write = || {
        let partial = path.with_extension("partial");
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(|e| HomeError::Io(path.to_owned(), e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn settings_of_an_earlier_version_and_of_each_part_are_read() {
        let plain: Config = toml::from_str("listen = []").unwrap();
        assert_eq!(plain.fetch, FetchSettings::default());
        let text = "[fetch]\nca = \"/etc/ca.pem\"\nallow_loopback = true\n";
        let fetch = toml::from_str::<Config>(text).unwrap().fetch;
        let expected =
            FetchSettings { ca: Some("/etc/ca.pem".into()), allow_loopback: true, refresh_status: None };
        assert_eq!(fetch, expected);
        let refresh = |text: &str| toml::from_str::<Config>(text).map(|config| config.fetch.refresh_status);
        let settings = Config {
            fetch: FetchSettings { refresh_status: Some(Duration::from_secs(43_200)), ..expected },
            ..Config::default()
        };
        assert_eq!(refresh("[fetch]\nrefresh_status = \"12h\"").unwrap(), settings.fetch.refresh_status);
        assert_eq!(toml::from_str::<Config>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
        assert!(
            refresh("[fetch]\nrefresh_status = \"10ms\"").is_err()
                && refresh("[fetch]\nrefresh_status = true").is_err()
        );
        assert!(toml::from_str::<Config>("[fetch]\nallow_privat = true").is_err());
        let text = "[network]\nreachable = \"never\"\nupnp = false\n";
        let network = toml::from_str::<Config>(text).unwrap().network;
        let expected =
            NetworkSettings { reachable: Reachable::Never, upnp: false, ..NetworkSettings::default() };
        assert_eq!(network, expected);
        let text = "[issuer]\ndid = \"did:web:school.example\"\nname = \"School\"\n";
        let issuer = toml::from_str::<Config>(text).unwrap().issuer;
        assert_eq!(issuer.did, "did:web:school.example".parse().ok());
        assert!(toml::from_str::<Config>("[issuer]\ndid = \"school.example\"").is_err());
        let written = toml::to_string(&Config::default()).unwrap();
        assert_eq!(toml::from_str::<Config>(&written).unwrap(), Config::default());
    }
}
