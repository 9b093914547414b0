//! How a network is run to be measured rather than used: with slower lines, other parameters, counters.
//!
//! `knack sim validate` holds the simulator's model against real nodes. On one machine they have no distance, and what takes
//! no time cannot be compared; so a trial gives lines a length.

use std::{fmt, io, num::NonZeroUsize, sync::Arc, time::Duration};

#[cfg(doc)]
use knackmesh_protocol::limits;
use libp2p::{Multiaddr, core::ConnectedPoint, tcp};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, split},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// Bytes read in one go.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks on their way on one line, above which the sender waits.
const CHUNKS_MAX: usize = 1024;

/// See the module. [`Default`] is a network as it is used.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The length of lines; `None` leaves them as they are, and QUIC beside TCP.
    pub lag: Option<Lag>,
    /// Contacts of a bucket of the routing table, and of a look-up's result.
    pub k: NonZeroUsize,
    /// Peers asked at once by a look-up: 3.9 rounds among 10^5 nodes where the default of three needs 8.6.
    pub alpha: NonZeroUsize,
    /// Whether to count what goes over gossip, for [`Snapshot::counters`](super::Snapshot::counters).
    pub counters: bool,
    /// Peers that the node dialled itself above which it closes some; [`limits::PEERS_SPARE`] when `None`.
    pub peers_high: Option<usize>,
}

impl Default for Trial {
    fn default() -> Self {
        const K: NonZeroUsize = NonZeroUsize::new(20).unwrap();
        const ALPHA: NonZeroUsize = NonZeroUsize::new(10).unwrap();
        Trial { lag: None, k: K, alpha: ALPHA, counters: false, peers_high: None }
    }
}

/// One-way delays by the address that is dialled, for both directions of the connection.
#[derive(Clone)]
pub struct Lag(Arc<dyn Fn(&str) -> Duration + Send + Sync>);

impl Lag {
    /// Delays as `of` says.
    pub fn new(of: impl Fn(&str) -> Duration + Send + Sync + 'static) -> Self {
        Lag(Arc::new(of))
    }
}

impl fmt::Debug for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lag")
    }
}

impl Lag {
    /// A connection whose bytes take their time in both directions. Whoever dialled delays them, for it knows whom.
    pub(super) fn delay(
        &self,
        stream: tcp::tokio::TcpStream,
        point: &ConnectedPoint,
    ) -> Compat<DuplexStream> {
        let lag = match point {
            ConnectedPoint::Dialer { address, .. } => self.of(address),
            ConnectedPoint::Listener { .. } => Duration::ZERO,
        };
        let (near, far) = tokio::io::duplex(CHUNK_BYTES);
        let (from_near, to_near) = split(far);
        let (from_far, to_far) = TcpStream::from(stream).into_split();
        tokio::spawn(carry(from_near, to_far, lag));
        tokio::spawn(carry(from_far, to_near, lag));
        near.compat()
    }

    fn of(&self, address: &Multiaddr) -> Duration {
        (self.0)(&address.to_string())
    }
}

/// Carries bytes from one end to the other, each after `lag`, until the one ends.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, lag: Duration) {
    let (departs, mut arrives) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let departing = async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        // An error ends the line as an end does.
        while let Ok(read @ 1..) = from.read(&mut chunk).await {
            if departs.send((Instant::now() + lag, chunk[..read].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let arriving = async move {
        while let Some((at, bytes)) = arrives.recv().await {
            sleep_until(at).await;
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    let _: ((), io::Result<()>) = tokio::join!(departing, arriving);
}
