//! Files that a scenario names: stays of nodes, measured latencies, graphs.
//!
//! Nothing here opens a file. Whoever reads a scenario lends the contents of those that it names, and the plan keeps them, with
//! what they say. A name is a path below the scenario's own folder, so that a scenario reads nothing but what lies beside it
//! and a copy of both runs anywhere.

mod gml;
mod matrix;
mod stays;

use std::{borrow::Cow, cell::RefCell, collections::BTreeMap, fmt, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::{
    gml::{GRAPH_EDGES_MAX, GRAPH_NODES_MAX},
    matrix::HOSTS_MAX,
    stays::{STAYS_MAX, Stays},
};
use super::{
    File,
    full::{self, Measured},
    overlay,
};
use crate::latency::Distances;

/// Longest lent file, in bytes.
pub const LENT_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Longest name of one, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// A file that a scenario names, and what it says once it was lent.
///
/// Two are equal if their names are: what somebody wrote is the same whatever the file holds. [`Input`] has the contents.
pub struct Attached<T> {
    name: String,
    lent: Option<(Arc<str>, Arc<T>)>,
}

impl<T> Attached<T> {
    /// The name, as the scenario has it: a path relative to the scenario's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the file says.
    ///
    /// # Panics
    /// When it was not lent: only [`Plan::read_lent`](super::Plan::read_lent) makes a plan that can be run.
    pub fn content(&self) -> &Arc<T> {
        match &self.lent {
            Some((_, content)) => content,
            None => panic!("{} was not lent: this scenario was not read as a plan", self.name),
        }
    }

    fn input(&self) -> Option<Input> {
        let (text, _) = self.lent.as_ref()?;
        Some(Input { name: self.name.clone(), text: text.clone() })
    }
}

/// A file that was lent to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name, as the scenario has it: a path relative to the scenario's, below its folder.
    pub name: String,
    /// What it holds.
    pub text: Arc<str>,
}

impl File {
    /// The files that the plan was lent.
    pub fn inputs(&self) -> Vec<Input> {
        let mut file = self.clone();
        let stays = file.stays().and_then(|stays| stays.input());
        let distances = file.distances().and_then(|source| match source {
            Source::Matrix(full::Matrix { file, .. }) | Source::Gml(full::Graph { file, .. }) => file.input(),
        });
        let mut inputs: Vec<Input> = stays.into_iter().chain(distances).collect();
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        inputs.dedup_by(|a, b| a.name == b.name);
        inputs
    }
}

/// A latency's file of distances, and how it is read.
enum Source<'a> {
    Matrix(&'a mut full::Matrix),
    Gml(&'a mut full::Graph),
}

impl File {
    /// The file of stays.
    fn stays(&mut self) -> Option<&mut Attached<Stays>> {
        match self {
            File::Full(full) => full.churn.as_mut()?.trace.as_mut(),
            File::Overlay(_) => None,
        }
    }

    fn distances(&mut self) -> Option<Source<'_>> {
        match self {
            File::Full(full) => match &mut full.network.latency {
                full::Latency::Matrix(matrix) => Some(Source::Matrix(matrix)),
                full::Latency::Gml(graph) => Some(Source::Gml(graph)),
                full::Latency::Line(_) | full::Latency::Uniform(_) | full::Latency::Regions(_) => None,
            },
            File::Overlay(overlay) => match &mut overlay.network.latency {
                overlay::Latency::Matrix(matrix) => Some(Source::Matrix(matrix)),
                overlay::Latency::Gml(graph) => Some(Source::Gml(graph)),
                overlay::Latency::Uniform(_) | overlay::Latency::Regions(_) => None,
            },
        }
    }
}

/// Why a lent file does not do.
pub(super) struct Fault {
    /// The key that names the file.
    pub key: String,
    /// The file.
    pub name: String,
    /// Where in the file, counted from 1, if not as a whole.
    pub line: Option<usize>,
    /// Why.
    pub message: String,
    /// Whether there is no such file.
    pub absent: bool,
}

/// What is wrong with a text, and in which line, if not as a whole.
type Wrong = (Option<usize>, String);

/// Lends files, and reads each but once, however many plans name it.
pub struct Lending<'a> {
    lend: Box<Lend<'a>>,
    stays: RefCell<BTreeMap<String, Attached<Stays>>>,
    distances: RefCell<BTreeMap<(String, Form), Attached<Distances>>>,
}

/// What a name stands for, or why there is nothing.
type Lend<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// How a file of distances is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Matrix(Measured),
    Gml,
}

impl<'a> Lending<'a> {
    /// Lends what `lend` gives for a name, or says why there is nothing.
    pub fn new(lend: impl Fn(&str) -> Result<String, String> + 'a) -> Self {
        Lending { lend: Box::new(lend), stays: RefCell::default(), distances: RefCell::default() }
    }

    /// Lends nothing.
    pub fn nothing() -> Self {
        Lending::new(|_| Err("no files are lent here".to_owned()))
    }

    /// Lends a file what it names.
    pub(super) fn attach(&self, file: &mut File) -> Result<(), Fault> {
        if let Some(trace) = file.stays() {
            self.fill(&self.stays, trace.name.clone(), "churn.trace", trace, stays::read)?;
        }
        match file.distances() {
            Some(Source::Matrix(full::Matrix { file, is, .. })) => {
                let (key, which) = ("network.latency.matrix.file", (file.name.clone(), Form::Matrix(*is)));
                self.fill(&self.distances, which, key, file, |text| matrix::read(text, *is))
            }
            Some(Source::Gml(full::Graph { file, .. })) => {
                let (key, which) = ("network.latency.gml.file", (file.name.clone(), Form::Gml));
                self.fill(&self.distances, which, key, file, gml::read)
            }
            None => Ok(()),
        }
    }

    fn fill<K: Ord, T>(
        &self,
        known: &RefCell<BTreeMap<K, Attached<T>>>,
        which: K,
        key: &str,
        attached: &mut Attached<T>,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Result<(), Fault> {
        if let Some(known) = known.borrow().get(&which) {
            attached.clone_from(known);
            return Ok(());
        }
        let fault = |line, message, absent| Fault {
            key: key.to_owned(),
            name: attached.name.clone(),
            line,
            message,
            absent,
        };
        let text = (self.lend)(&attached.name).map_err(|message| fault(None, message, true))?;
        if text.len() > LENT_BYTES_MAX {
            return Err(fault(None, "longer than 128 MiB".to_owned(), false));
        }
        let content = read(&text).map_err(|(line, message)| fault(line, message, false))?;
        attached.lent = Some((text.into(), Arc::new(content)));
        known.borrow_mut().insert(which, attached.clone());
        Ok(())
    }
}

/// Lines that say something, with their numbers: not those that are empty or begin with `#`.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// The cells of a line of comma-separated values; none of those that are read here needs quoting.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"').trim())
}

/// A path below the scenario's folder, the same on every system.
fn is_name(name: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
    name.len() <= NAME_BYTES_MAX && name.split('/').all(plain)
}

impl<T> Clone for Attached<T> {
    fn clone(&self) -> Self {
        Attached { name: self.name.clone(), lent: self.lent.clone() }
    }
}

impl<T> PartialEq for Attached<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<T> Eq for Attached<T> {}

impl<T> fmt::Debug for Attached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)
    }
}

impl<T> Serialize for Attached<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de, T> Deserialize<'de> for Attached<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?.into_owned();
        if !is_name(&name) {
            return Err(de::Error::custom(format!(
                "`{name}` names no file beside the scenario: write \"stays.csv\" or \"data/stays.csv\", relative to it"
            )));
        }
        Ok(Attached { name, lent: None })
    }
}

impl<T> JsonSchema for Attached<T> {
    fn schema_name() -> Cow<'static, str> {
        "FileName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A file beside the scenario or in a folder there: \"stays.csv\", \"data/stays.csv\"",
            "pattern": r"^[^/\\:]+(/[^/\\:]+)*$",
        })
    }
}
