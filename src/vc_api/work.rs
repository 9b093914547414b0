//! Reading, signing and verifying off the threads that serve connections, a few at a time.

use std::sync::Arc;

use knackmesh_protocol::limits::API_WORK_MAX;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::problem::Problem;

/// The room that there is for work. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Work(Arc<Semaphore>);

impl Work {
    pub(super) fn new() -> Self {
        Work(Arc::new(Semaphore::new(API_WORK_MAX)))
    }

    /// Does some of it, as soon as there is room.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let stopped = |_| Problem::internal("the server is stopping");
        let permit = self.0.clone().acquire_owned().await.map_err(stopped)?;
        let done = spawn_blocking(move || {
            // Held until the work has ended, also when nobody waits for it any more.
            let _permit = permit;
            work()
        });
        done.await.map_err(|_| Problem::internal("a document made the server fail"))
    }
}
