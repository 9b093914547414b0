//! Simulations as a researcher has them: runs of scenario files, sweeps over seeds and settings, folders of results, reports.
//!
//! What a world does is decided in `knackmesh_simulations`, in virtual time; here are the clock on the wall, threads, files and
//! plots. One run is one thread; runs of different seeds go side by side. Everything in a folder of results but the wall
//! clock's figures follows from the scenario, the seed and the program.

mod comparing;
mod folder;
mod inputs;
pub mod machine;
mod metrics;
mod plots;
mod record;
mod replaying;
mod report;
mod running;
mod scenarios;
pub mod statistics;
mod sweeping;
pub mod validating;

pub use self::{
    comparing::{Comparison, Difference, compare},
    folder::{Folder, FolderError},
    metrics::{METRICS, Metric},
    record::{Ending, Manifest, Record, Sweep, SweepRow},
    replaying::{NodeRow, Replayed, replay},
    report::{write_report, write_validation},
    running::{Progress, run},
    scenarios::{Named, ScenarioError, find, scenario},
    sweeping::{Job, Seeds, Swept, jobs, sweep},
};
pub use knackmesh_simulations::{
    attacks,
    plan::{Assignment, Duration, File, NotAnAssignment, Plan, PlanError, SHIPPED, Shipped},
    streams,
    traffic::{Count, Kind},
};
