//! Somebody who looks on, for measurements; and who has some nodes of a measurement be hostile.

use knackmesh_protocol::peer::{Change, Input, Output};

/// Is told of everything that enters a node's peer and of everything that leaves it, in order.
pub trait Witness: Send + Sync {
    /// The peer is about to handle this.
    fn enters(&mut self, input: &Input);
    /// What a hostile node does with it in its peer's place; an honest one leaves everything to the peer.
    fn instead(&mut self, _input: &Input) -> Option<Vec<Output>> {
        None
    }
    /// Changes what the peer of a hostile node would do.
    fn amends(&mut self, _outputs: &mut Vec<Output>) {}
    /// This is about to be carried out.
    fn leaves(&mut self, output: &Output);
    /// This is in the store and in the index: from now on a query finds it, or does not.
    fn changed(&mut self, change: &Change);
}
