//! What a node sends is legal, within its bounds, and not endless.

use knackmesh_protocol::{
    limits::{
        GOSSIP_BYTES_MAX, LEADS_MAX, MESSAGE_BYTES_MAX, RECONCILE_SESSIONS_MAX, RECORD_BYTES_MAX,
        RECORD_KEY_BYTES_MAX, SEARCH_INQUIRIES_MAX, SEARCH_PEERS_MAX, SEARCHES_MAX, SUMMARIES_MAX,
    },
    message::{Request, Response},
    peer::{Input, Output},
};

use super::{Check, Scene, ensure};
use crate::{
    ledger::{Said, What},
    node::Node,
};

/// Requests that one input can cause: every search asks everybody, and every place for a session is taken.
const SENDS_MAX: usize = SEARCHES_MAX * (SEARCH_PEERS_MAX + SEARCH_INQUIRIES_MAX) + RECONCILE_SESSIONS_MAX;

#[derive(Default)]
pub(super) struct Bounds {
    /// Requests since the last input.
    sends: usize,
}

impl Check for Bounds {
    fn name(&self) -> &'static str {
        "bounds"
    }

    fn before(&mut self, _scene: &Scene<'_>, _node: &Node, _input: &Input) {
        self.sends = 0;
    }

    fn output(
        &mut self,
        _scene: &Scene<'_>,
        node: &Node,
        output: &Output,
        said: &Said<'_>,
    ) -> Result<(), String> {
        if let What::Illegal(error) = &said.what {
            return Err(format!("node {} says what it would refuse itself: {error}", node.number));
        }
        let (len, max) = match output {
            Output::Gossip { bytes, .. } => (bytes.len(), GOSSIP_BYTES_MAX),
            Output::Send { bytes, .. } | Output::Respond { bytes, .. } => (bytes.len(), MESSAGE_BYTES_MAX),
            Output::PutRecord { key, value, .. } | Output::KeepRecord { key, value, .. } => {
                ensure(key.len() <= RECORD_KEY_BYTES_MAX, || format!("a record key of {} bytes", key.len()))?;
                (value.len(), RECORD_BYTES_MAX)
            }
            Output::Persist(_)
            | Output::Reply(..)
            | Output::Verdict(..)
            | Output::Closest { .. }
            | Output::Subscribe { .. }
            | Output::Obtain { .. } => (0, 0),
        };
        ensure(len <= max, || format!("node {} says {len} bytes, more than {max}", node.number))?;
        self.sends += usize::from(matches!(said.what, What::Request(_)));
        ensure(self.sends <= SENDS_MAX, || format!("node {} sends without end", node.number))?;
        match &said.what {
            What::Request(Request::Find { limit, .. }) => {
                ensure(usize::from(*limit) <= LEADS_MAX, || format!("asks for {limit} leads"))
            }
            What::Response(Response::Leads(leads)) => {
                ensure(leads.summaries.len() <= LEADS_MAX, || format!("{} leads", leads.summaries.len()))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, _scene: &Scene<'_>, node: &Node) -> Result<(), String> {
        let held = node.peer.as_ref().map_or(0, |peer| peer.summaries());
        ensure(held <= SUMMARIES_MAX, || format!("node {} holds {held} summaries", node.number))
    }
}
