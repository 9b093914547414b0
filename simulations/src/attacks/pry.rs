//! Asks every holder it hears of for every credential, whatever consent says.

use knackmesh_protocol::{
    inquiry::{Inquiry, Nonce, Undertaking},
    message::{Item, Request},
    peer::{Input, Output},
    signed::Signed,
    summary::Summary,
};

use super::{Behaviour, Stage};
use crate::streams::bytes;

/// Holders asked in one act.
const ASKED_MAX: usize = 10;

#[derive(Default)]
pub(super) struct Pry {
    heard: Vec<Signed<Summary>>,
}

fn inquiry(stage: &mut Stage<'_>, summary: &Signed<Summary>) -> Option<Request> {
    let root = &stage.identity.root;
    let backed = summary.body().content().claims().iter().filter(|claim| claim.backing().is_some());
    let skills = backed.map(|claim| claim.skill().clone()).collect();
    let undertaking =
        Undertaking { purpose: "curiosity".into(), retention_days: 365, contact: String::new() };
    let (nonce, now) = (Nonce(bytes(stage.rng)), stage.now);
    let asked =
        Inquiry::new(root.public(), summary, skills, undertaking, nonce, now, now.plus_ms(5000)).ok()?;
    Some(Request::Inquire(Signed::sign(asked, root)))
}

impl Behaviour for Pry {
    fn intercept(&mut self, _stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        if let Input::Gossip { bytes, .. } = input
            && let Ok(Item::Summary(summary)) = Item::decode(bytes)
        {
            self.heard.push(summary);
        }
        None
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let asked = self.heard.split_off(self.heard.len().saturating_sub(ASKED_MAX));
        let mut outputs = Vec::new();
        for summary in asked {
            if let Some(request) = inquiry(stage, &summary) {
                outputs.push(stage.send(summary.body().reach().node(), request.encode()));
            }
        }
        outputs
    }
}
