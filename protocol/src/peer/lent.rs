//! What a node lends its peer for the duration of one call: whatever is local and quick.

use crate::{
    credential::{Credential, Known, TrustList, Verifier},
    id::Id,
    key::PublicKey,
    message::{Item, Request, Response},
    query::Query,
    signed::Signed,
    summary::Summary,
    time::Timestamp,
    vocabulary::Vocabulary,
    wire::WireError,
};

/// The local index of admitted summaries: it nominates, the peer decides.
pub trait Index {
    /// Views whose summaries may match, best first by stated claims as of `now`, at most `limit`, and how many match
    /// in all.
    /// What it returns is checked again; what it omits is lost, so it must not be stricter than [`Query`].
    fn nominate(&self, query: &Query, limit: usize, now: Timestamp) -> Nominated;

    /// The summary of a view, as admitted.
    fn summary(&self, view: &PublicKey) -> Option<Signed<Summary>>;

    /// The item that exactly these bytes encode, if whoever lends this index decoded it before and so knows that its
    /// signature verifies: it is not verified again. Where many peers share a process, each item is verified once.
    /// `None`, as by default, has the peer decode and verify the bytes itself.
    fn verified(&self, _bytes: &[u8]) -> Option<Item> {
        None
    }

    /// The same for the summary that exactly this envelope holds, as answers to searches carry it.
    fn verified_lead(&self, _envelope: &[u8]) -> Option<Signed<Summary>> {
        None
    }

    /// The same for a whole request: whoever decoded these very bytes where they were sent need not have it done again where they
    /// arrive.
    fn request(&self, _bytes: &[u8]) -> Option<Request> {
        None
    }

    /// The same for a whole response.
    fn response(&self, _bytes: &[u8]) -> Option<Response> {
        None
    }
}

/// What an index nominates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nominated {
    /// Summaries, best first.
    pub summaries: Vec<Signed<Summary>>,
    /// How many match in all.
    pub matched: usize,
}

/// The holder's credentials.
pub trait Wallet {
    /// A credential by its id.
    fn credential(&self, id: &Id) -> Option<Credential>;
}

/// What the node lends for the duration of one call.
#[derive(Clone, Copy)]
pub struct Lent<'a> {
    /// Admitted summaries.
    pub index: &'a dyn Index,
    /// Own credentials.
    pub wallet: &'a dyn Wallet,
    /// Whose credentials the seeker recognises.
    pub trust: &'a TrustList,
    /// What is known from others of issuers and their status lists.
    pub known: &'a Known,
    /// Labels and weights of skills.
    pub vocabulary: &'a Vocabulary,
}

impl<'a> Lent<'a> {
    /// The verifier that this node is at `now`.
    pub fn verifier(&self, now: Timestamp) -> Verifier<'a> {
        Verifier::new(now, self.trust).knowing(self.known)
    }

    /// The item that bytes of a stranger encode, verified, be it now or before.
    pub(super) fn item(&self, bytes: &[u8]) -> Result<Item, WireError> {
        self.index.verified(bytes).map_or_else(|| Item::decode(bytes), Ok)
    }

    /// The request that they encode.
    pub(super) fn request(&self, bytes: &[u8]) -> Result<Request, WireError> {
        let decode = || Request::decode_knowing(bytes, |item| self.index.verified(item));
        self.index.request(bytes).map_or_else(decode, Ok)
    }

    /// The response that they encode.
    pub(super) fn response(&self, bytes: &[u8]) -> Result<Response, WireError> {
        let decode = || Response::decode_knowing(bytes, |item| self.index.verified(item));
        self.index.response(bytes).map_or_else(decode, Ok)
    }
}
