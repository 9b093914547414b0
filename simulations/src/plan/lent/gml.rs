//! Graphs in GML, as Shadow takes them: `node [ id 0 ]`, `edge [ source 0 target 1 latency "10 ms" packet_loss 0.01 ]`.
//!
//! From each node to each the way of the least latency is taken, and of those the one that loses least. What a way loses is
//! what none of its edges lets through. A node's edge to itself says how far apart two hosts of it are; without one they are no
//! time apart. Other keys, such as `label` and `host_bandwidth_up`, say nothing here: lines have their own table in a scenario.

mod tokens;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use self::tokens::{Pair, Value, block, top};
use super::Wrong;
use crate::{
    latency::{Distances, lost_on_both_ppm},
    plan::units::nanoseconds,
};

/// Most nodes of a graph.
pub const GRAPH_NODES_MAX: usize = 1000;
/// Most edges of a graph: as many as each node can have to each.
pub const GRAPH_EDGES_MAX: usize = 550_000;

const MS_NS: u64 = 1_000_000;
/// Longest way, in nanoseconds: a minute.
const WAY_MAX_NS: u64 = 60_000 * MS_NS;

/// How long a way is, in nanoseconds, and then how much it loses, in millionths.
type Length = (u64, u32);

/// Edges that leave each node: to which, and how long they are.
type Edges = Vec<Vec<(usize, Length)>>;

pub(super) fn read(text: &str) -> Result<Distances, Wrong> {
    let pairs = top(text)?;
    let mut graphs = pairs.iter().filter(|pair| pair.key == "graph");
    let (graph, more) = (graphs.next(), graphs.next());
    let graph = graph.ok_or_else(|| (None, "there is no `graph [ ... ]` in it".to_owned()))?;
    if let Some(more) = more {
        return Err((Some(more.line), "a second graph".to_owned()));
    }
    let graph = block(graph)?;
    let directed = graph.iter().any(|pair| pair.key == "directed" && pair.value == Value::Word("1".into()));
    let numbers = nodes(graph)?;
    let edges = edges(graph, &numbers, directed)?;
    let names: Vec<u64> = {
        let mut names = vec![0; numbers.len()];
        numbers.iter().for_each(|(id, at)| names[*at] = *id);
        names
    };
    let mut ways = Vec::with_capacity(edges.len());
    for from in 0..edges.len() {
        let lengths = shortest(&edges, from);
        if let Some(to) = lengths.iter().position(Option::is_none) {
            return Err((None, format!("there is no way from node {} to node {}", names[from], names[to])));
        }
        let own = edges[from].iter().filter(|(to, _)| *to == from).map(|(_, length)| *length).min();
        let row: Vec<Length> = lengths.into_iter().flatten().collect();
        if let Some(to) = row.iter().position(|(ns, _)| *ns > WAY_MAX_NS) {
            let message = format!("node {} is more than a minute from node {}", names[to], names[from]);
            return Err((None, message));
        }
        ways.push((row, own.unwrap_or_default()));
    }
    Ok(Distances::new(ways.len(), |from, to| {
        let (row, own) = &ways[from];
        let (ns, lost_ppm) = if from == to { *own } else { row[to] };
        // No more than a minute.
        (u16::try_from((ns + MS_NS / 2) / MS_NS).unwrap_or(u16::MAX), lost_ppm)
    }))
}

/// Each node's place, by its id: they are counted as the file has them.
fn nodes(graph: &[Pair]) -> Result<BTreeMap<u64, usize>, Wrong> {
    let mut numbers = BTreeMap::new();
    for node in graph.iter().filter(|pair| pair.key == "node") {
        let at = |message: String| (Some(node.line), message);
        let id = number(block(node)?, "id").map_err(|e| at(format!("this node {e}: write `id 0`")))?;
        if numbers.len() == GRAPH_NODES_MAX {
            return Err(at(format!("more than {GRAPH_NODES_MAX} nodes")));
        }
        let place = numbers.len();
        if numbers.insert(id, place).is_some() {
            return Err(at(format!("a second node {id}")));
        }
    }
    if numbers.is_empty() {
        return Err((None, "there are no nodes in it".to_owned()));
    }
    Ok(numbers)
}

fn edges(graph: &[Pair], numbers: &BTreeMap<u64, usize>, directed: bool) -> Result<Edges, Wrong> {
    let mut edges: Edges = vec![Vec::new(); numbers.len()];
    let all = graph.iter().filter(|pair| pair.key == "edge");
    for (count, edge) in all.enumerate() {
        let at = |message: String| (Some(edge.line), message);
        if count == GRAPH_EDGES_MAX {
            return Err(at(format!("more than {GRAPH_EDGES_MAX} edges")));
        }
        let pairs = block(edge)?;
        let end = |key: &str| {
            let id = number(pairs, key).map_err(|e| at(format!("this edge {e}: write `{key} 0`")))?;
            numbers.get(&id).copied().ok_or_else(|| at(format!("there is no node {id}, its {key}")))
        };
        let (source, target) = (end("source")?, end("target")?);
        let length = (latency(pairs).map_err(at)?, loss(pairs).map_err(at)?);
        edges[source].push((target, length));
        if !directed && source != target {
            edges[target].push((source, length));
        }
    }
    Ok(edges)
}

/// The only value of a key.
fn only<'a>(pairs: &'a [Pair], key: &str) -> Result<Option<&'a Value>, String> {
    let mut values = pairs.iter().filter(|pair| pair.key == key).map(|pair| &pair.value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(format!("has more than one `{key}`")),
    }
}

fn number(pairs: &[Pair], key: &str) -> Result<u64, String> {
    match only(pairs, key)? {
        Some(Value::Word(word)) => {
            word.parse().map_err(|_| format!("has `{key} {word}`, which is no whole number"))
        }
        Some(_) => Err(format!("has a `{key}` that is no number")),
        None => Err(format!("has no `{key}`")),
    }
}

fn latency(pairs: &[Pair]) -> Result<u64, String> {
    match only(pairs, "latency").map_err(|e| format!("this edge {e}"))? {
        Some(Value::Text(text)) => nanoseconds(text).map_err(|e| e.to_string()),
        Some(Value::Word(word)) => {
            Err(format!("`latency {word}` has no unit: write `latency \"{word} ms\"`"))
        }
        _ => Err("this edge has no latency: write `latency \"10 ms\"`".to_owned()),
    }
}

/// In millionths.
fn loss(pairs: &[Pair]) -> Result<u32, String> {
    let value = only(pairs, "packet_loss").map_err(|e| format!("this edge {e}"))?;
    let text = match value {
        None => return Ok(0),
        Some(Value::Word(text) | Value::Text(text)) => text,
        Some(Value::Block(_)) => return Err("a `packet_loss` is a number from 0 to 1".to_owned()),
    };
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok((share * 1e6 + 0.5) as u32),
        _ => Err(format!("`packet_loss {text}` is not from 0 to 1")),
    }
}

/// Dijkstra: the shortest way from one node to each, if there is one.
fn shortest(edges: &Edges, from: usize) -> Vec<Option<Length>> {
    let mut lengths: Vec<Option<Length>> = vec![None; edges.len()];
    let mut open = BinaryHeap::from([Reverse(((0, 0), from))]);
    lengths[from] = Some((0, 0));
    while let Some(Reverse((length, node))) = open.pop() {
        if lengths[node] != Some(length) {
            continue;
        }
        for (to, (ns, lost_ppm)) in &edges[node] {
            let further = (length.0.saturating_add(*ns), lost_on_both_ppm(length.1, *lost_ppm));
            if lengths[*to].is_none_or(|known| further < known) {
                lengths[*to] = Some(further);
                open.push(Reverse((further, *to)));
            }
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// Three nodes: 5 and 9 are nearer to each other over 7.
    const GRAPH: &str = r#"
# made up
graph [
  directed 0
  node [ id 5 label "a [b" host_bandwidth_up "1 Gbit" ]
  node [ id 7 ]
  node [ id 9 graphics [ x 1 y [ z 2 ] ] ]
  edge [ source 5 target 7 latency "10 ms" packet_loss 0.1 ]
  edge [ source 7 target 9 latency "2500 us" packet_loss 0.5 ]
  edge [ source 5 target 9 latency "20 ms" ]
  edge [ source 5 target 5 latency "3 ms" ]
]
"#;

    #[test]
    fn ways_are_the_shortest_and_lose_what_their_edges_lose() {
        let distances = read(GRAPH).unwrap();
        let table: Vec<Vec<u64>> =
            (0..3).map(|from| (0..3).map(|to| distances.one_way_ms(from, to)).collect()).collect();
        assert_eq!(table, [[3, 10, 13], [10, 0, 3], [13, 3, 0]]);
        assert_eq!([distances.lost_ppm(0, 2), distances.lost_ppm(1, 0)], [550_000, 100_000]);
        let directed = read(&GRAPH.replace("directed 0", "directed 1"));
        assert_eq!(directed.unwrap_err(), (None, "there is no way from node 7 to node 5".to_owned()));
    }

    #[test]
    fn what_is_no_graph_is_refused_with_its_line() {
        for (from, to, line, said) in [
            ("graph [", "grap [", None, "no `graph [ ... ]`"),
            ("latency \"10 ms\" ", "", Some(8), "this edge has no latency"),
            ("\"10 ms\"", "10", Some(8), "write `latency \"10 ms\"`"),
            ("\"10 ms\"", "\"10 msec\"", Some(8), "`10 msec` is no time"),
            ("\"20 ms\"", "\"-20 ms\"", Some(10), "is no time"),
            ("0.5", "1.5", Some(9), "`packet_loss 1.5` is not from 0 to 1"),
            ("target 9 latency \"20", "target 8 latency \"20", Some(10), "there is no node 8, its target"),
            ("source 5 target 9", "target 9", Some(10), "has no `source`"),
            ("source 5 target 9", "source 7 source 5 target 9", Some(10), "more than one `source`"),
            ("id 7", "id 5", Some(6), "a second node 5"),
            ("id 7", "id x", Some(6), "no whole number"),
            ("id 7", "", Some(6), "has no `id`"),
            ("node [ id 7 ]", "node 7", Some(6), "`node` is no block"),
            ("\"a [b\"", "\"a [b", Some(11), "has no end"),
            ("ms\" ]\n]", "ms\" ]", Some(3), "has no `]`"),
            ("ms\" ]\n]", "ms\" ]\n] ]", Some(12), "`]`"),
        ] {
            assert!(GRAPH.contains(from), "{from}");
            let (at, message) = read(&GRAPH.replacen(from, to, 1)).unwrap_err();
            assert!(at == line && message.contains(said), "{from} -> {to}: {at:?}: {message}");
        }
        let deep = format!("graph {}", "[ a ".repeat(100));
        assert!(read(&deep).unwrap_err().1.contains("deeper than"));
    }

    proptest! {
        /// Against Floyd and Warshall, which looks at every node between any two.
        #[test]
        fn ways_are_those_of_another_algorithm(
            edges in prop::collection::vec((0..8_usize, 0..8_usize, 1..100_u64), 0..30),
        ) {
            // A ring, so that there is a way from each to each.
            let ring = (0..8).map(|node| (node, (node + 1) % 8, 90));
            let edges: Vec<_> = ring.chain(edges).collect();
            let mut text = "graph [\n".to_owned();
            (0..8).for_each(|node| text.push_str(&format!("node [ id {node} ]\n")));
            let mut best = [[u64::MAX / 4; 8]; 8];
            (0..8).for_each(|node| best[node][node] = 0);
            for (a, b, ms) in edges {
                text.push_str(&format!("edge [ source {a} target {b} latency \"{ms} ms\" ]\n"));
                if a != b {
                    best[a][b] = best[a][b].min(ms);
                    best[b][a] = best[b][a].min(ms);
                }
            }
            for (over, from, to) in (0..512).map(|n| (n / 64, n / 8 % 8, n % 8)) {
                best[from][to] = best[from][to].min(best[from][over] + best[over][to]);
            }
            let distances = read(&format!("{text}]")).unwrap();
            for (from, to) in (0..64).map(|n| (n / 8, n % 8)).filter(|(from, to)| from != to) {
                let found = distances.one_way_ms(from as u32, to as u32);
                prop_assert_eq!(found, best[from][to], "{} to {}", from, to);
            }
        }

        #[test]
        fn nothing_that_is_read_panics(text in "[a-z\\[\\]\" 0-9.#\n]{0,100}") {
            let _ = read(&text);
            let _ = read(&format!("graph [ node [ id 1 ] {text}"));
        }
    }
}
