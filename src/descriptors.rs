//! How many files and connections the system lets this process have open at once.
//!
//! Each takes a descriptor. Some systems begin with 256 (macOS), fewer than a node has connections when strangers fill them all; then
//! neither the store nor the index could open a file, and the node would stop. So a program takes what it is allowed to take.

use knackmesh_protocol::limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files of the store and of the index's segments, sockets to listen on, timers, and commands that ask the node.
const OTHERS: u64 = 128;
/// What a node needs when all that peers can take is taken, in descriptors.
pub const NEEDED: u64 = OTHERS
    + limits::CONNECTIONS_MAX as u64
    + 2 * limits::CONNECTIONS_PENDING_MAX as u64
    + limits::METRICS_CONNECTIONS_MAX as u64
    + limits::API_CONNECTIONS_MAX as u64;
/// What is asked for, most first: a system may refuse more than it has although it names no bound.
const WANTED: [u64; 3] = [65_536, 10_240, NEEDED];

/// Takes as many as are allowed, up to what any command needs. Returns how many that are; `None` where there is no bound.
pub fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    for wanted in WANTED {
        let wanted = maximum.map_or(wanted, |most| most.min(wanted));
        if current.is_none_or(|now| now >= wanted) {
            break;
        }
        if setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
            break;
        }
    }
    getrlimit(Resource::Nofile).current
}
