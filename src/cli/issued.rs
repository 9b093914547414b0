//! `knack issued`.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{
    Outcome, Screen, Session, mismatch,
    screen::{counted, instant, short, table},
};
use crate::{
    control::{Reply, Request},
    home::Home,
    report::{IssuedRow, Standing},
};

/// List the credentials that this home has issued, and how they stand
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack issued
  knack issued --standing revoked --json")]
pub struct Args {
    /// Only those that stand so
    #[arg(long, value_name = "STANDING", value_parser = standings())]
    standing: Option<Standing>,
}

fn standings() -> impl TypedValueParser<Value = Standing> {
    PossibleValuesParser::new(["good", "suspended", "revoked", "no_status"])
        .try_map(|name| name.parse::<Standing>())
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let mut session = Session::new(home);
        let mut rows: Vec<IssuedRow> = Vec::new();
        let mut next = Some(0);
        while let Some(from) = next {
            let reply = session.ask(&Request::Issued { from }).await?;
            let Reply::IssuedList(page) = reply else { return Err(mismatch()) };
            rows.extend(page.rows);
            next = page.next;
        }
        let all = rows.len();
        rows.retain(|row| self.standing.is_none_or(|standing| row.standing == standing));
        screen.show(&rows, || {
            if rows.is_empty() {
                match (self.standing, all) {
                    (Some(standing), 1..) => {
                        let all = counted(all, "credential");
                        screen.say(&format!("{all} issued, and the standing of none is: {standing}"));
                    }
                    _ => screen.say("nothing was issued: `knack issue` issues a credential"),
                }
                return;
            }
            let mut lines = table(["issued", "id", "name", "subject", "standing"]);
            for row in &rows {
                lines.add_row([
                    instant(row.issued),
                    row.id.clone(),
                    row.name.clone().unwrap_or_else(|| "-".to_owned()),
                    row.subject.as_deref().map_or_else(|| "-".to_owned(), short),
                    row.standing.to_string(),
                ]);
            }
            data!("{lines}");
        });
        Ok(ExitCode::SUCCESS)
    }
}
