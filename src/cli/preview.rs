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
    anstream::println!("{STRONG}A stranger will see{STRONG:#} ({} bytes and a signature)", p.bytes);
    anstream::println!("  pseudonym   {}", p.view);
    anstream::println!("  node        {}", p.node);
    anstream::println!("  presents    {}", p.present);
    anstream::println!("  headline    {}", p.content.headline());
    let terms = p.content.terms();
    let list = |items: Vec<String>| if items.is_empty() { "not stated".to_owned() } else { items.join(", ") };
    anstream::println!("  region      {}", list(terms.region.iter().map(ToString::to_string).collect()));
    anstream::println!("  languages   {}", list(terms.languages.iter().map(ToString::to_string).collect()));
    anstream::println!("  modes       {}", list(terms.modes.iter().map(ToString::to_string).collect()));
    anstream::println!("  available   {}", list(terms.available.iter().map(ToString::to_string).collect()));
    for claim in p.content.claims() {
        anstream::println!("  claim       {}", claim.skill());
        anstream::println!("    level {}, tier {}", claim.level(), claim.tier());
        if let Some(backing) = claim.backing() {
            anstream::println!("    issuer {}, awarded {}", backing.issuer, backing.awarded);
            anstream::println!("    {WEAK}commitment {}{WEAK:#}", backing.commitment);
        }
    }
    anstream::println!(
        "{STRONG}A stranger will not see{STRONG:#} your DID, your credentials, your name, anything else"
    );
    for line in &p.left_out {
        anstream::println!("  left out    {line}");
    }
}
