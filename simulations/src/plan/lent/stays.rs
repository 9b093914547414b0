//! Stays of nodes, as a trace of a network has them: comma-separated values under the header `node,start,stop`.
//!
//! A node is its number, employers first; times are seconds since the run began, or have their unit (`90`, `1.5 min`); no `stop`
//! is to the end of the run.

use super::{Wrong, cells, lines};
use crate::{churn::Stay, plan::units::Duration};

/// Most stays.
pub const STAYS_MAX: usize = 1_000_000;

const HEADER: [&str; 3] = ["node", "start", "stop"];

/// Stays by node and time, with the lines that told of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stays(pub Vec<(usize, Stay)>);

pub(super) fn read(text: &str) -> Result<Stays, Wrong> {
    let mut lines = lines(text);
    match lines.next() {
        Some((_, header)) if cells(header).eq(HEADER) => {}
        Some((line, _)) => return Err((Some(line), "the first line is `node,start,stop`".to_owned())),
        None => return Err((None, "it is empty: the first line is `node,start,stop`".to_owned())),
    }
    let mut stays = Vec::new();
    for (line, row) in lines {
        stays.push((line, stay(row).map_err(|message| (Some(line), message))?));
        if stays.len() > STAYS_MAX {
            return Err((Some(line), format!("more than {STAYS_MAX} stays")));
        }
    }
    if stays.is_empty() {
        return Err((None, "there are no stays under the header".to_owned()));
    }
    stays.sort_by_key(|(_, stay)| (stay.node, stay.start_ms));
    for pair in stays.windows(2) {
        let [(earlier, before), (line, stay)] = pair else { continue };
        if before.node == stay.node && stay.start_ms < before.stop_ms {
            let message =
                format!("node {} is there already: its stay of line {earlier} has not ended", stay.node);
            return Err((Some(*line), message));
        }
    }
    Ok(Stays(stays))
}

fn stay(row: &str) -> Result<Stay, String> {
    let cells: Vec<&str> = cells(row).collect();
    let [node, start, stop] = cells[..] else {
        return Err(format!("{} values; a stay is `node,start,stop`", cells.len()));
    };
    let time = |text: &str| {
        Duration::or_seconds(text)
            .map(|time| time.0)
            .map_err(|e| format!("{e}; without a unit it is seconds"))
    };
    let stay = Stay {
        node: node.parse().map_err(|_| format!("`{node}` is no number of a node"))?,
        start_ms: time(start)?,
        stop_ms: if stop.is_empty() { u64::MAX } else { time(stop)? },
    };
    if stay.stop_ms <= stay.start_ms {
        return Err(format!("it stops at {stop}, which is not after {start}"));
    }
    Ok(stay)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn stays_are_seconds_or_have_units_and_are_sorted() {
        let text = "# made up\nnode,start,stop\n\n7, 90, 2 min\r\n3,1.5,\"20 s\"\n7,0,60\n3,500 s,\n";
        let stay = |line, node, start_ms, stop_ms| (line, Stay { node, start_ms, stop_ms });
        let stays = [
            stay(5, 3, 1500, 20_000),
            stay(7, 3, 500_000, u64::MAX),
            stay(6, 7, 0, 60_000),
            stay(4, 7, 90_000, 120_000),
        ];
        assert_eq!(read(text).unwrap().0, stays);
    }

    #[test]
    fn what_is_no_stay_is_refused_with_its_line() {
        let refused = |rows: &str| {
            let (line, message) = read(&format!("node,start,stop\n1,0,5\n{rows}")).unwrap_err();
            (line.unwrap(), message)
        };
        for (rows, line, said) in [
            ("1,5,9\n1,x,3", 4, "`x` is no duration"),
            ("one,5,9", 3, "`one` is no number of a node"),
            ("2,5", 3, "2 values"),
            ("2,5,5", 3, "not after 5"),
            ("2,-5,5", 3, "no duration"),
            ("2,0.0001,5", 3, "finer than a millisecond"),
            ("2,0,3\n1,4.9,9", 4, "its stay of line 2"),
        ] {
            let (at, message) = refused(rows);
            assert_eq!(at, line, "{rows}: {message}");
            assert!(message.contains(said), "{rows}: {message}");
        }
        for (text, said) in [("", "empty"), ("node,start,stop\n", "no stays")] {
            assert!(read(text).unwrap_err().1.contains(said), "{text}");
        }
        let (line, message) = read("peer,from,to\n").unwrap_err();
        assert_eq!((line, message.as_str()), (Some(1), "the first line is `node,start,stop`"));
    }
}
