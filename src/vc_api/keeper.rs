//! Who keeps the home while the server runs: a node in another process, asked through its socket, or one in this process.

use std::path::PathBuf;

use knackmesh_protocol::credential::{TrustEntry, TrustList};

use crate::control::{self, Exit, Handle, Refusal, Reply, Request, TrustOrder};

/// The home's node.
#[derive(Clone, Debug)]
pub enum Keeper {
    /// In this process.
    Here(Handle),
    /// Behind its control socket.
    Socket(PathBuf),
}

impl Keeper {
    /// Asks the node and waits.
    ///
    /// # Errors
    /// What the node refuses, or that it has stopped.
    pub async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        match self {
            Keeper::Here(handle) => handle.ask(request).await,
            Keeper::Socket(path) => control::ask(path, &request).await.unwrap_or_else(|| {
                Err(Refusal::new(Exit::Failed, "the node has stopped", "start it again with `knack up`"))
            }),
        }
    }

    /// The home's trust list, as it is now.
    ///
    /// # Errors
    /// As [`Keeper::ask`].
    pub async fn trust(&self) -> Result<TrustList, Refusal> {
        let Reply::Trust(rows) = self.ask(Request::Trust(TrustOrder::List)).await? else {
            return Err(mismatch());
        };
        let mut trust = TrustList::default();
        for row in rows {
            // Scopes of skills are no matter here: the checks ask about the issuer alone.
            let entry = TrustEntry { name: row.name, distrusted: row.distrusted, ..TrustEntry::default() };
            trust
                .add(row.issuer, entry)
                .map_err(|e| Refusal::new(Exit::Failed, e.to_string(), "remove some"))?;
        }
        Ok(trust)
    }
}

/// The node answered another kind of question: our own mistake.
pub(super) fn mismatch() -> Refusal {
    Refusal::new(
        Exit::Failed,
        "the node's answer does not fit the question",
        "use the same version of knack for the node and the server",
    )
}
