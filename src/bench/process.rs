//! What this process has taken of the machine so far, where the system says so (Linux).

use std::{fs, time::Instant};

use serde::Serialize;

/// Ticks of the clock in which Linux counts the time of processors, in a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// A look at the process.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// When.
    pub at: Instant,
    /// Seconds of processors, of all threads since the process began.
    pub cpu_seconds: Option<f64>,
    /// Memory that is resident now, in bytes.
    pub resident_bytes: Option<u64>,
    /// Files and sockets that are open.
    pub descriptors: Option<usize>,
    /// Bytes that went over the loopback interface of this network namespace, whoever sent them.
    pub loopback_bytes: Option<u64>,
}

impl Taken {
    /// As it is now.
    pub fn now() -> Self {
        Taken {
            at: Instant::now(),
            cpu_seconds: cpu_seconds(),
            resident_bytes: resident_bytes(),
            descriptors: fs::read_dir("/proc/self/fd").ok().map(Iterator::count),
            loopback_bytes: loopback_bytes(),
        }
    }
}

/// The share of one core that was used between two looks, in percent.
pub fn cpu_percent(before: &Taken, after: &Taken) -> Option<f64> {
    let seconds = after.at.duration_since(before.at).as_secs_f64();
    let cpu = after.cpu_seconds? - before.cpu_seconds?;
    (seconds > 0.0).then(|| 100.0 * cpu / seconds)
}

/// A machine whose figures do not speak for others: what else ran is told by the load.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// Memory of the machine, in bytes.
    pub total_bytes: Option<u64>,
    /// Descriptors that this process may have open.
    pub descriptors_max: Option<u64>,
    /// Processes that wanted to run, on average over the last minute, when the measurement began.
    pub load: Option<f64>,
}

impl Memory {
    /// Of this machine.
    pub fn this() -> Self {
        let kib = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
        let total = fs::read_to_string("/proc/meminfo").ok();
        let total = total.and_then(|text| text.lines().find(|l| l.starts_with("MemTotal:")).and_then(kib));
        let limits = fs::read_to_string("/proc/self/limits").ok();
        let open = limits.and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("Max open files"))?;
            line.split_whitespace().nth(3)?.parse().ok()
        });
        let load = fs::read_to_string("/proc/loadavg").ok();
        let load = load.and_then(|text| text.split_whitespace().next()?.parse().ok());
        Memory { total_bytes: total.map(|kib| kib * 1024), descriptors_max: open, load }
    }
}

fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, which may hold spaces and ends with the last parenthesis.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

/// Memory that is resident, in bytes.
pub fn resident_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

fn loopback_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/net/dev").ok()?;
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("lo:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_process_that_works_and_allocates_is_seen_to() {
        let before = Taken::now();
        let filled = vec![1_u8; 32 * 1024 * 1024];
        while cpu_seconds().unwrap() - before.cpu_seconds.unwrap() < 0.05 {
            std::hint::black_box(filled.iter().map(|b| u64::from(*b)).sum::<u64>());
        }
        let after = Taken::now();
        assert!(after.resident_bytes.unwrap() > before.resident_bytes.unwrap() + 16 * 1024 * 1024);
        assert!(cpu_percent(&before, &after).unwrap() > 0.0);
        assert!(before.descriptors.unwrap() >= 3);
        assert!(Memory::this().total_bytes.unwrap() > 64 * 1024 * 1024);
    }
}
