//! Nothing about a person leaves a machine without consent: every summary said or held is one that its holder consented
//! to, word for word and for as long; credentials are shown only where consent says *anyone*; and apart from that, no
//! node names its person.

use knackmesh_protocol::{
    consent::Present,
    message::{Request, Response},
    peer::{Change, Output, Publication},
};
use memchr::memmem;

use super::{Check, Scene, ensure};
use crate::{
    ledger::{Said, What},
    node::Node,
};

pub(super) struct Consent;

impl Check for Consent {
    fn name(&self) -> &'static str {
        "consent"
    }

    fn output(
        &mut self,
        scene: &Scene<'_>,
        node: &Node,
        output: &Output,
        said: &Said<'_>,
    ) -> Result<(), String> {
        if let Output::Persist(Change::Publication { publication: Some(publication), .. }) = output {
            covers(scene, publication)?;
        }
        for id in said.summaries() {
            let truth = id.and_then(|id| scene.ledger.published(&id));
            ensure(truth.is_some(), || format!("node {} has a summary that nobody published", node.number))?;
        }
        match &said.what {
            What::Response(Response::Disclosed(disclosure)) => {
                let view = disclosure.link.body().view;
                let current = scene.ledger.current(&view).filter(|truth| scene.now < truth.expires());
                let allowed =
                    current.is_some_and(|t| t.node == node.number && t.present() == Present::Anyone);
                ensure(allowed, || format!("node {} shows credentials without consent", node.number))
            }
            // An inquiry is signed by who asks: that is its point.
            What::Request(Request::Inquire(_)) => Ok(()),
            _ => ensure(!names_its_person(node, output), || format!("node {} names its person", node.number)),
        }
    }
}

/// The summary says no more, and no longer, than the consent.
fn covers(scene: &Scene<'_>, publication: &Publication) -> Result<(), String> {
    let (consent, summary) = (publication.consent.body(), publication.summary.body());
    let same = summary.consent() == publication.consent.id()
        && summary.content() == consent.content()
        && summary.view() == consent.view()
        && summary.present() == consent.present();
    ensure(same, || "a summary says what its consent does not".into())?;
    ensure(consent.covers(scene.now) && summary.expires() <= consent.expires(), || {
        "a summary outlives its consent".into()
    })
}

fn names_its_person(node: &Node, output: &Output) -> bool {
    let bytes = match output {
        Output::Gossip { bytes, .. } | Output::Send { bytes, .. } | Output::Respond { bytes, .. } => bytes,
        Output::PutRecord { value, .. } => value,
        _ => return false,
    };
    let person = &node.person;
    contains(bytes, person.identity.root.public().as_bytes())
        || contains(bytes, person.did.as_str().as_bytes())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memmem::find(haystack, needle).is_some()
}
