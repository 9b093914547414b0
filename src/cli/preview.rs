//! `knack preview`.

use std::process::ExitCode;

use knackmesh_protocol::consent::Present;

use super::{
    Outcome, Screen, ask, mismatch,
    screen::{STRONG, WEAK},
};
use crate::{
    control::{ProofsOrder, Reply, Request},
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

    /// With the proofs that `knack publish --proofs` would attach
    #[arg(long)]
    proofs: bool,

    /// Also with such as link your pseudonym to your DID, or to an earlier publication
    #[arg(long, requires = "proofs")]
    linkable: bool,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let proofs = ProofsOrder { attach: self.proofs, linkable: self.linkable };
        let request = Request::Preview { present: self.present, proofs };
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
        if let Some(proof) = claim.proof() {
            data!("    proven by proof {proof}");
        }
    }
    for (at, proof) in p.content.proofs().iter().enumerate() {
        data!("  proof {at}     {proof}");
    }
    if p.linked {
        data!("{STRONG}These proofs link{STRONG:#} your pseudonym to your DID, or to an earlier publication");
    }
    data!("{STRONG}A stranger will not see{STRONG:#} your DID, your credentials, your name, anything else");
    for line in &p.left_out {
        data!("  left out    {line}");
    }
}
