//! Who keeps the home while the server runs: a node in another process, asked through its socket, or one in this process.

use std::path::PathBuf;

use knackmesh_protocol::credential::TrustList;

use crate::{
    control::{self, Exit, Handle, Refusal, Reply, Request, TrustOrder},
    node::verifying::listed,
};

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
        let Reply::Trust(report) = self.ask(Request::Trust(TrustOrder::List)).await? else {
            return Err(mismatch());
        };
        listed(report.entries)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use knackmesh_protocol::credential::Recognition;

    use super::*;
    use crate::report::{TrustReport, TrustRow};

    #[tokio::test]
    async fn whom_the_home_recognises_for_some_skills_the_server_does_for_no_more() {
        let (handle, mut errands) = Handle::new();
        let (issuer, skill) = ("did:web:a.example".parse().unwrap(), "urn:s:rust".parse().unwrap());
        let (name, skills, from) = (None, vec![skill], Vec::new());
        let row = TrustRow { issuer, name, distrusted: false, skills, own: true, from };
        let entries = vec![row.clone()];
        tokio::spawn(async move {
            let (_, answer) = errands.recv().await.unwrap();
            answer.send(Ok(Reply::Trust(TrustReport { entries, followed: Vec::new() }))).unwrap();
        });
        let trust = Keeper::Here(handle).trust().await.unwrap();
        assert_eq!(trust.recognition(&row.issuer, &row.skills[0]), Recognition::Listed);
        assert_eq!(trust.recognition(&row.issuer, &"urn:s:sql".parse().unwrap()), Recognition::Unlisted);
    }
}
