//! Folders of results: their files, written and read back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use knackmesh_simulations::plan::File;
use serde::{Serialize, de::DeserializeOwned};

use super::record::{Manifest, RUN_FORMAT, Record, SWEEP_FORMAT, Sweep};

/// See the module.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// Why a folder cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something is there already.
    #[error("{}: there is something already", .0.display())]
    Taken(PathBuf),
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {message}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A copy of a file that the scenario names is missing, or is another.
    #[error("{}: {message}", path.display())]
    Input {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The folder has no results that this program knows.
    #[error("{}: no results of `knack sim run` or `knack sim sweep`", .0.display())]
    Foreign(PathBuf),
}

impl FolderError {
    /// What to try.
    pub fn advice(&self) -> String {
        match self {
            FolderError::Taken(_) => "name another folder with --out DIR".to_owned(),
            FolderError::Io { .. } => "name a folder that you may read and write".to_owned(),
            FolderError::Damaged { .. } => "run the scenario again, into a new folder".to_owned(),
            FolderError::Input { .. } => {
                "put back the folder `inputs` that the run wrote, or run the scenario again".to_owned()
            }
            FolderError::Foreign(_) => "name a folder that --out named before".to_owned(),
        }
    }
}

impl Folder {
    /// A folder of results that is there.
    pub fn at(path: impl AsRef<Path>) -> Self {
        Folder(path.as_ref().to_owned())
    }

    /// A new folder; one that is empty counts as new.
    ///
    /// # Errors
    /// When something is in it, or it cannot be made.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, FolderError> {
        let path = path.as_ref();
        let failed = |error| FolderError::Io { path: path.to_owned(), error };
        fs::create_dir_all(path).map_err(failed)?;
        if fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(FolderError::Taken(path.to_owned()));
        }
        Ok(Folder(path.to_owned()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A folder within.
    pub fn within(&self, name: &str) -> Self {
        Folder(self.0.join(name))
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.0.join(name);
        let within = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(within)
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|error| FolderError::Io { path, error })
    }

    /// Writes the files of a run; the manifest comes last, so that whoever sees it sees a whole folder.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_record(&self, record: &Record) -> Result<(), FolderError> {
        // Each engine has its own tables; one that it does not have is not there.
        match record.manifest.scenario {
            File::Full(_) => {
                self.table("queries.csv", &record.queries)?;
                self.table("spreading.csv", &record.spreading)?;
                self.table("timeseries.csv", &record.timeseries)?;
            }
            File::Overlay(_) => {
                self.table("look_ups.csv", &record.look_ups)?;
                self.table("timeseries.csv", &record.intervals)?;
            }
        }
        self.table("messages.csv", &record.messages)?;
        self.table("load.csv", &record.load)?;
        self.write_json("summary.json", &record.summary)?;
        self.write_json("manifest.json", &record.manifest)
    }

    /// Writes the files of a sweep itself, without its runs.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_sweep(&self, sweep: &Sweep) -> Result<(), FolderError> {
        let metrics = super::METRICS.iter().map(|metric| metric.name);
        let head = ["folder", "seed", "partial", "trace_hash"].into_iter();
        let mut rows: Vec<Vec<String>> = vec![
            head.chain(sweep.keys.iter().map(String::as_str))
                .chain(metrics.clone())
                .map(str::to_owned)
                .collect(),
        ];
        for run in &sweep.runs {
            let value = |name: &str| {
                run.summary.get(name).copied().flatten().map_or(String::new(), |value| value.to_string())
            };
            let head =
                [run.folder.clone(), run.seed.to_string(), run.partial.to_string(), run.trace_hash.clone()];
            rows.push(head.into_iter().chain(run.values.clone()).chain(metrics.clone().map(value)).collect());
        }
        self.rows("runs.csv", &rows)?;
        self.write_json("manifest.json", sweep)
    }

    /// The manifest of a run.
    ///
    /// # Errors
    /// When the folder holds none.
    pub fn manifest(&self) -> Result<Manifest, FolderError> {
        self.is_of(RUN_FORMAT)?;
        self.read_json("manifest.json")
    }

    /// A run, read back.
    ///
    /// # Errors
    /// When the folder holds none, or a file is damaged.
    pub fn record(&self) -> Result<Record, FolderError> {
        let manifest = self.manifest()?;
        let is_full = matches!(manifest.scenario, File::Full(_));
        Ok(Record {
            summary: self.read_json("summary.json")?,
            look_ups: if is_full { Vec::new() } else { self.read_table("look_ups.csv")? },
            queries: if is_full { self.read_table("queries.csv")? } else { Vec::new() },
            spreading: if is_full { self.read_table("spreading.csv")? } else { Vec::new() },
            timeseries: if is_full { self.read_table("timeseries.csv")? } else { Vec::new() },
            intervals: if is_full { Vec::new() } else { self.read_table("timeseries.csv")? },
            messages: self.read_table("messages.csv")?,
            load: self.read_table("load.csv")?,
            manifest,
        })
    }

    /// Whether it holds a sweep rather than a run.
    ///
    /// # Errors
    /// When it holds neither.
    pub fn is_sweep(&self) -> Result<bool, FolderError> {
        Ok(match self.format()?.as_str() {
            SWEEP_FORMAT => true,
            RUN_FORMAT => false,
            _ => return Err(FolderError::Foreign(self.0.clone())),
        })
    }

    /// A sweep, read back.
    ///
    /// # Errors
    /// When the folder holds none, or a file is damaged.
    pub fn sweep(&self) -> Result<Sweep, FolderError> {
        self.is_of(SWEEP_FORMAT)?;
        self.read_json("manifest.json")
    }

    fn is_of(&self, format: &str) -> Result<(), FolderError> {
        if self.format()? == format { Ok(()) } else { Err(FolderError::Foreign(self.0.clone())) }
    }

    fn format(&self) -> Result<String, FolderError> {
        if !self.0.join("manifest.json").is_file() {
            return Err(FolderError::Foreign(self.0.clone()));
        }
        let manifest: serde_json::Value = self.read_json("manifest.json")?;
        Ok(manifest["format"].as_str().unwrap_or_default().to_owned())
    }

    /// Writes a file of the folder as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), FolderError> {
        let mut text = serde_json::to_string_pretty(value).map_err(|e| self.damaged(name, &e))?;
        text.push('\n');
        self.write(name, text.as_bytes())
    }

    fn table<T: Serialize>(&self, name: &str, lines: &[T]) -> Result<(), FolderError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        lines.iter().try_for_each(|line| writer.serialize(line)).map_err(|e| self.damaged(name, &e))?;
        let bytes = writer.into_inner().map_err(|e| self.damaged(name, &e))?;
        self.write(name, &bytes)
    }

    fn rows(&self, name: &str, rows: &[Vec<String>]) -> Result<(), FolderError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().try_for_each(|row| writer.write_record(row)).map_err(|e| self.damaged(name, &e))?;
        let bytes = writer.into_inner().map_err(|e| self.damaged(name, &e))?;
        self.write(name, &bytes)
    }

    fn read(&self, name: &str) -> Result<String, FolderError> {
        let path = self.0.join(name);
        fs::read_to_string(&path).map_err(|error| FolderError::Io { path, error })
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, FolderError> {
        serde_json::from_str(&self.read(name)?).map_err(|e| self.damaged(name, &e))
    }

    fn read_table<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, FolderError> {
        let text = self.read(name)?;
        csv::Reader::from_reader(text.as_bytes())
            .deserialize()
            .collect::<Result<_, _>>()
            .map_err(|e| self.damaged(name, &e))
    }

    fn damaged(&self, name: &str, error: &dyn std::fmt::Display) -> FolderError {
        FolderError::Damaged { path: self.0.join(name), message: error.to_string() }
    }
}
