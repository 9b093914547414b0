//! Answers every inquiry with the first answer that it ever gave: to another seeker, for another purpose, to another
//! nonce.

use knackmesh_protocol::{message::Response, peer::Output};

use super::{Behaviour, Stage};

#[derive(Default)]
pub(super) struct Impostor {
    first: Option<Vec<u8>>,
}

impl Behaviour for Impostor {
    fn amend(&mut self, _stage: &mut Stage<'_>, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Output::Respond { bytes, .. } = output
                && let Ok(Response::Disclosed(_)) = Response::decode(bytes)
            {
                let first = self.first.get_or_insert_with(|| bytes.clone());
                bytes.clone_from(first);
            }
        }
    }
}
