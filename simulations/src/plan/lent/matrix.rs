//! A square table of times between hosts, as the King data set is one: a line for each host, a value for each host, no header.
//!
//! Values are milliseconds, or have their unit. Those that were not measured (`-1`, or nothing) are filled with the median of
//! those that were; a host is no time from itself unless the table says otherwise. What comes out are whole milliseconds one way.

use super::{Wrong, cells, lines};
use crate::{
    latency::Distances,
    plan::{full::Measured, units::nanoseconds_or_ms},
};

/// Most hosts of a matrix.
pub const HOSTS_MAX: usize = 4000;

const MS_NS: u64 = 1_000_000;
/// Longest time one way, in nanoseconds: a minute.
const ONE_WAY_MAX_NS: u64 = 60_000 * MS_NS;

pub(super) fn read(text: &str, is: Measured) -> Result<Distances, Wrong> {
    let mut rows: Vec<(usize, Vec<Option<u16>>)> = Vec::new();
    for (line, row) in lines(text) {
        let at = |message| (Some(line), message);
        let row: Vec<Option<u16>> =
            cells(row).map(|cell| one_way_ms(cell, is)).collect::<Result<_, _>>().map_err(at)?;
        if row.len() > HOSTS_MAX || rows.len() == HOSTS_MAX {
            return Err(at(format!("more than {HOSTS_MAX} hosts")));
        }
        if let Some((first, other)) = rows.first()
            && other.len() != row.len()
        {
            let message = format!(
                "{} values; {} in line {first}: each line has one for each host",
                row.len(),
                other.len()
            );
            return Err(at(message));
        }
        rows.push((line, row));
    }
    let hosts = rows.first().map_or(0, |(_, row)| row.len());
    if rows.len() != hosts || hosts < 2 {
        let message = format!(
            "{} lines of {hosts} values: a matrix has as many of the one as of the other, at least 2",
            rows.len()
        );
        return Err((None, message));
    }
    let apart = |from: usize, to: usize| rows[from].1[to].filter(|_| from != to);
    let mut known: Vec<u16> =
        (0..hosts).flat_map(|from| (0..hosts).filter_map(move |to| apart(from, to))).collect();
    known.sort_unstable();
    let median =
        *known.get(known.len() / 2).ok_or_else(|| (None, "nothing in it was measured".to_owned()))?;
    Ok(Distances::new(hosts, |from, to| {
        let otherwise = if from == to { 0 } else { median };
        (rows[from].1[to].unwrap_or(otherwise), 0)
    }))
}

fn one_way_ms(cell: &str, is: Measured) -> Result<Option<u16>, String> {
    if cell.is_empty() || cell == "-1" {
        return Ok(None);
    }
    let ns = nanoseconds_or_ms(cell).map_err(|e| format!("{e}; without a unit it is milliseconds"))?;
    let ways = match is {
        Measured::RoundTrip => 2,
        Measured::OneWay => 1,
    };
    if ns > ONE_WAY_MAX_NS * ways {
        return Err(format!("`{cell}` is more than a minute one way"));
    }
    let ms = (ns + ways * MS_NS / 2) / (ways * MS_NS);
    Ok(u16::try_from(ms).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn table(distances: &Distances) -> Vec<Vec<u64>> {
        let hosts = 0..distances.hosts();
        hosts.clone().map(|from| hosts.clone().map(|to| distances.one_way_ms(from, to)).collect()).collect()
    }

    #[test]
    fn round_trips_are_halved_and_what_is_unknown_is_the_median() {
        let text = "# of three\n0, 30, -1\n31,0,70.9\n ,80 ms,\n";
        let round_trip = read(text, Measured::RoundTrip).unwrap();
        // Known are 15, 16 (15.5), 35 and 40: the upper one of the two in the middle is taken.
        assert_eq!(table(&round_trip), [[0, 15, 35], [16, 0, 35], [35, 40, 0]]);
        let one_way = read(text, Measured::OneWay).unwrap();
        assert_eq!(table(&one_way), [[0, 30, 71], [31, 0, 71], [71, 80, 0]]);
        assert_eq!(table(&read("1,350 us\n0.4 s,2", Measured::OneWay).unwrap()), [[1, 0], [400, 2]]);
    }

    #[test]
    fn what_is_no_matrix_is_refused_with_its_line() {
        for (text, line, said) in [
            ("0,1\n1,0\n1,1", None, "3 lines of 2 values"),
            ("", None, "0 lines"),
            ("0", None, "at least 2"),
            ("0,1\n\n1,0,2", Some(3), "3 values; 2 in line 1"),
            ("0,1\nx,0", Some(2), "`x` is no time"),
            ("0,-2\n1,0", Some(1), "`-2` is no time"),
            ("0,200000\n1,0", Some(1), "`200000`"),
            ("0,61 s\n1,0", Some(1), "more than a minute one way"),
            ("0,-1\n,0", None, "nothing in it was measured"),
        ] {
            let (at, message) = read(text, Measured::OneWay).unwrap_err();
            assert!(at == line && message.contains(said), "{text}: {at:?}: {message}");
        }
        let wide = "1,".repeat(HOSTS_MAX) + "1";
        assert!(read(&wide, Measured::OneWay).unwrap_err().1.contains("more than 4000 hosts"));
    }
}
