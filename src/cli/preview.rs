//! `knack preview`.

use std::process::ExitCode;

use knackmesh_protocol::consent::Present;

use super::{
    Outcome, Screen, ask, mismatch,
    screen::{STRONG, WEAK},
};
use crate::{
    control::{Reply, Request},
    home::Home,
    report::PreviewReport,
};

/// Show exactly what a stranger would see if you published now
///
/// Nothing is sent. What is not shown here is not in the published record.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack preview")]
pub struct Args {
    /// Who would get a presentation at once: ask, verified_org or anyone
    #[arg(long, value_name = "POLICY", default_value_t = Present::Ask)]
    present: Present,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let request = Request::Preview { present: self.present };
        let Reply::Preview(preview) = ask(home, request).await? else { return Err(mismatch()) };
        screen.show(&preview, || print(&preview));
        Ok(ExitCode::SUCCESS)
    }
}

fn print(p: &PreviewReport) {
    data!("{STRONG}A stranger will see{STRONG:#} ({} bytes and a signature)", p.bytes);
    data!("  pseudonym   {}", p.view);
    data!("  node        {}", p.node);
    data!("  presents    {}", p.present);
    data!("  headline    {}", p.content.headline());
    let terms = p.content.terms();
    let list = |items: Vec<String>| if items.is_empty() { "not stated".to_owned() } else { items.join(", ") };
    data!("  region      {}", list(terms.region.iter().map(ToString::to_string).collect()));
    data!("  languages   {}", list(terms.languages.iter().map(ToString::to_string).collect()));
    data!("  modes       {}", list(terms.modes.iter().map(ToString::to_string).collect()));
    data!("  available   {}", list(terms.available.iter().map(ToString::to_string).collect()));
    for claim in p.content.claims() {
        data!("  claim       {}", claim.skill());
        data!("    level {}, tier {}", claim.level(), claim.tier());
        if let Some(backing) = claim.backing() {
            data!("    issuer {}, awarded {}", backing.issuer, backing.awarded);
            data!("    {WEAK}commitment {}{WEAK:#}", backing.commitment);
        }
    }
    data!("{STRONG}A stranger will not see{STRONG:#} your DID, your credentials, your name, anything else");
    for line in &p.left_out {
        data!("  left out    {line}");
    }
}
