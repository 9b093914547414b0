//! What ran the simulation, and what it took: figures that differ from machine to machine.

use std::{fs, thread};

use serde::{Deserialize, Serialize};

/// Of which program a result is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The commit it was built from, with `-dirty` where its sources differ from that; null where the build could not know
    /// (see `build.rs`).
    pub commit: Option<String>,
    /// BLAKE3 of its `Cargo.lock`, in hexadecimal.
    pub cargo_lock: String,
    /// Whether it was built without optimisation, which makes its speed mean nothing.
    pub debug_build: bool,
}

impl Program {
    /// This program.
    pub fn this() -> Self {
        Program {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("KNACK_COMMIT").map(str::to_owned),
            cargo_lock: blake3::hash(include_bytes!("../../Cargo.lock")).to_hex().to_string(),
            debug_build: cfg!(debug_assertions),
        }
    }
}

/// On what machine it ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Architecture of the processor.
    pub arch: String,
    /// Cores that the program may use.
    pub cores: Option<usize>,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        Machine {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cores: thread::available_parallelism().ok().map(usize::from),
        }
    }
}

/// Seconds that this thread has kept a processor busy, where the system says so (Linux).
pub fn thread_cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

/// The most memory that this process has had at once, in bytes, where the system says so (Linux).
pub fn peak_memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}
