//! `knack sim new`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;

use super::{Outcome, Screen};
use crate::{
    cli::{
        screen::table,
        writing::{Written, vacant, write_new},
    },
    sim::{Plan, SHIPPED, ScenarioError, Shipped, find},
};

/// Begin a scenario: a copy of one that ships, to be changed as you need it; without a name, list them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack sim new
  knack sim new partition
  knack sim new first-steps mine.toml
  knack sim new --schema > scenario.schema.json")]
pub struct Args {
    /// The scenario to copy
    #[arg(value_name = "TEMPLATE")]
    template: Option<String>,

    /// The file to write [default: TEMPLATE.toml]
    #[arg(value_name = "FILE", requires = "template")]
    file: Option<PathBuf>,

    /// Print the JSON Schema of scenario files instead, for an editor
    #[arg(long, conflicts_with = "template")]
    schema: bool,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    title: String,
}

impl Args {
    pub fn run(self, screen: &Screen) -> Outcome {
        if self.schema {
            // The schema is JSON either way.
            Screen { json: true }.show(&Plan::schema(), || {});
            return Ok(ExitCode::SUCCESS);
        }
        let Some(template) = self.template else {
            list(screen);
            return Ok(ExitCode::SUCCESS);
        };
        let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.name == template) else {
            let missing = match find(&template) {
                Err(missing @ ScenarioError::Missing { .. }) => missing,
                _ => ScenarioError::Missing { name: template, nearest: "first-steps" },
            };
            return Err(missing.into());
        };
        let file = self.file.unwrap_or_else(|| PathBuf::from(format!("{}.toml", shipped.name)));
        let within = file.parent().unwrap_or(Path::new(""));
        let lacking = |(name, text): &&(&str, &str)| {
            !fs::read_to_string(within.join(name)).is_ok_and(|there| there == *text)
        };
        let beside: Vec<_> = shipped.files.iter().filter(lacking).collect();
        // Nothing is written unless all can be.
        vacant(&file)?;
        beside.iter().try_for_each(|(name, _)| vacant(&within.join(name)))?;
        write_new(&file, shipped.text.as_bytes())?;
        beside.iter().try_for_each(|(name, text)| write_new(&within.join(name), text.as_bytes()))?;
        let written = Written { file: file.display().to_string() };
        screen.show(&written, || {
            let names: Vec<&str> = shipped.files.iter().map(|(name, _)| *name).collect();
            let beside =
                if names.is_empty() { String::new() } else { format!(" and {} beside it", names.join(", ")) };
            screen.say(&format!("wrote {}{beside}; change it, then run it:", written.file));
            screen.say(&format!("knack sim run '{}'", written.file));
        });
        Ok(ExitCode::SUCCESS)
    }
}

fn list(screen: &Screen) {
    let row = |shipped: &Shipped| {
        let title = shipped.plan(&[]).map(|plan| plan.file.title().to_owned()).unwrap_or_default();
        Row { name: shipped.name, title }
    };
    let rows: Vec<Row> = SHIPPED.iter().map(row).collect();
    screen.show(&rows, || {
        let mut table = table(["TEMPLATE", "WHAT IT SHOWS"]);
        for row in &rows {
            table.add_row([row.name, &row.title]);
        }
        data!("{table}");
    });
}
