//! Somebody who looks on, for measurements.

use knackmesh_protocol::peer::{Change, Input, Output};

/// Is told of everything that enters a node's peer and of everything that leaves it, in order.
pub trait Witness: Send + Sync {
    /// The peer is about to handle this.
    fn enters(&mut self, input: &Input);
    /// This is about to be carried out.
    fn leaves(&mut self, output: &Output);
    /// This is in the store and in the index: from now on a query finds it, or does not.
    fn changed(&mut self, change: &Change);
}
