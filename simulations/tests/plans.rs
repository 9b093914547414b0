//! What a scenario file says is what happens: latencies, stays, trades, levels, parts of the network.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use knackmesh_protocol::skill::SkillId;
use knackmesh_simulations::{
    overlay,
    plan::{File, Full, Lending, Plan},
    run::{Asked, Run},
};
use proptest::prelude::*;

/// The grammar of a scenario that names a file which holds `lent`.
fn full(text: &str, lent: &str) -> Full {
    match Plan::read_lent(text, &[], &Lending::new(|_| Ok(lent.to_owned()))).unwrap().file {
        File::Full(file) => file,
        File::Overlay(_) => panic!("an overlay"),
    }
}

/// When a publication of node 0 reaches each other node, where everybody is connected to everybody and all is forwarded at once.
fn reached(latency: &str, nodes: u32, lent: &str) -> Vec<(u32, u32)> {
    let text = format!(
        r#"
title = "One tells all"
duration = "60 s"
[population]
employers = 0
professionals = {nodes}
skills = 4
[network]
degree = 30
gossip = "flood"
latency = {{ {latency} }}
[[publications]]
who = "professional 0"
at = "40 s"
"#
    );
    let mut run = Run::new(&full(&text, lent), 5);
    run.advance(u64::MAX).unwrap();
    let links = run.world().node(0).links.len();
    assert_eq!(links, nodes as usize - 1, "everybody is connected");
    let mut receipts: Vec<(u32, u32)> = run.world().messages()[0].receipts.clone();
    receipts.sort_unstable();
    receipts
}

/// The shortest ways over a table, as flooding takes them.
fn shortest(mut table: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    let hosts = table.len();
    for (over, from, to) in (0..hosts.pow(3)).map(|n| (n / hosts / hosts, n / hosts % hosts, n % hosts)) {
        table[from][to] = table[from][to].min(table[from][over] + table[over][to]);
    }
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Six nodes on five hosts: node 5 is on the host of node 0.
    #[test]
    fn a_matrix_says_how_long_each_message_takes(
        round_trips in prop::collection::vec(prop::collection::vec(2..2000_u32, 5), 5),
    ) {
        let csv: String = round_trips
            .iter()
            .map(|row| row.iter().map(u32::to_string).collect::<Vec<_>>().join(",") + "\n")
            .collect();
        let one_way: Vec<Vec<u32>> =
            round_trips.iter().map(|row| row.iter().map(|ms| ms.div_ceil(2)).collect()).collect();
        let hosts = shortest((0..6).map(|from| (0..6).map(|to| one_way[from % 5][to % 5]).collect()).collect());
        let expected: Vec<(u32, u32)> = (1..6).map(|node| (node, hosts[0][node as usize])).collect();
        prop_assert_eq!(reached(r#"matrix = { file = "m.csv", is = "round_trip" }"#, 6, &csv), expected);
    }
}

const TRIANGLE: &str = r#"graph [
    node [ id 4 ] node [ id 8 ] node [ id 6 ]
    edge [ source 4 target 8 latency "100 ms" ]
    edge [ source 8 target 6 latency "7 ms" packet_loss 0.0 ]
    edge [ source 6 target 4 latency "200 ms" ]
    edge [ source 4 target 4 latency "3 ms" ]
]"#;

#[test]
fn a_graph_says_how_long_each_message_takes() {
    let latency = r#"gml = { file = "g.gml" }"#;
    // Nodes 0 and 3 are at the node with id 4, which is first.
    assert_eq!(reached(latency, 4, TRIANGLE), [(1, 100), (2, 107), (3, 3)]);
    let lossy = TRIANGLE.replace("\"100 ms\"", "\"100 ms\" packet_loss 1");
    let beyond = lossy.replace("\"200 ms\"", "\"200 ms\" packet_loss 1");
    assert_eq!(reached(latency, 4, &beyond), [(3, 3)], "everything to the others is lost");
}

/// Two nodes: a look-up is a request from the one to the other and its answer.
#[test]
fn an_overlay_s_look_ups_take_what_the_table_says() {
    let look_ups = |latency: &str, lent: &str| {
        let text = format!(
            "title = \"x\"\nfidelity = \"overlay\"\nduration = \"1 h\"\nlook_ups = 40\nbootstrap = \"complete\"\n[population]\nnodes = 2\n[kademlia]\nlearn = false\n[network]\nlatency = {{ {latency} }}"
        );
        let plan = Plan::read_lent(&text, &[], &Lending::new(|_| Ok(lent.to_owned()))).unwrap();
        let File::Overlay(file) = plan.file else { panic!("not an overlay") };
        let mut run = overlay::Run::new(&file.engine(), 1).unwrap();
        run.step_until(u64::MAX);
        run.outcome().records
    };
    let table = "0,30\n41,0";
    let took =
        |records: &[overlay::Record]| records.iter().map(|record| record.latency_ms).collect::<BTreeSet<_>>();
    let both_ways =
        |records: &[overlay::Record]| records.iter().map(|record| record.from).collect::<BTreeSet<_>>();
    let records = look_ups("matrix = { file = \"m.csv\", is = \"one_way\" }", table);
    assert_eq!((took(&records), both_ways(&records)), (BTreeSet::from([71]), BTreeSet::from([0, 1])));
    let graph = "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 latency \"250 ms\" ] ]";
    assert_eq!(took(&look_ups("gml = { file = \"g.gml\" }", graph)), BTreeSet::from([500]));
    let lossy = graph.replace("\"250 ms\"", "\"250 ms\" packet_loss 1");
    let records = look_ups("gml = { file = \"g.gml\" }", &lossy);
    assert!(
        records.iter().all(|record| record.end == overlay::End::Missed && record.timeouts == 1),
        "{records:?}"
    );
}

#[test]
fn a_trace_starts_and_stops_nodes_and_leaves_the_others() {
    let text = r#"
title = "By the book"
duration = "2 min"
[population]
employers = 1
professionals = 4
skills = 4
[churn]
trace = "stays.csv"
crashes = "0 %"
"#;
    let stays = "node,start,stop\n2,10,20\n2,20,30.5\n4,1 min,\n2,100,500\n";
    let mut run = Run::new(&full(text, stays), 1);
    for (until_ms, two, four) in [
        (9_999, false, false),
        (10_000, true, false),
        (20_000, true, false),
        (30_499, true, false),
        (30_500, false, false),
        (60_000, false, true),
        (99_999, false, true),
        (120_000, true, true),
    ] {
        run.advance(until_ms).unwrap();
        let runs = [0, 1, 2, 3, 4].map(|node| run.world().runs(node));
        assert_eq!(runs, [true, true, two, true, four], "at {until_ms} ms");
    }
    assert_eq!(run.world().departures(), 2);
}

#[test]
fn crashes_of_a_trace_are_noticed_by_silence() {
    let believers = |crashes: &str| {
        let text = format!(
            "title = \"x\"\nduration = \"40 s\"\n[population]\nemployers = 0\nprofessionals = 5\n[churn]\ntrace = \"s\"\ncrashes = \"{crashes}\""
        );
        let mut run = Run::new(&full(&text, "node,start,stop\n2,0,30\n"), 1);
        run.advance(32_000).unwrap();
        (0..5).filter(|node| run.world().node(*node).links.contains(&2)).count()
    };
    assert_eq!(believers("0 %"), 0);
    assert!(believers("100 %") > 0);
}

const TRADES: &str = r#"
title = "Trades"
duration = "2 min"
[population]
employers = 2
professionals = 40
skills = 40
levels = ["0 %", "0 %", "40 %", "60 %", "0 %"]
[[population.occupations]]
name = "data engineer"
share = "50 %"
skills = ["Python", "SQL", "PostgreSQL"]
[[population.occupations]]
name = "nurse"
share = "30 %"
skills = ["pharmacology", "infection control"]
[[publications]]
at = "5 s"
[[queries]]
at = "60 s"
ask = "{occupation skill} AND {occupation skill}"
[[queries]]
rate = "2 /s"
from = "61 s"
until = "80 s"
ask = "{occupation skill} AND {occupation skill}"
"#;

#[test]
fn people_of_a_trade_have_its_skills_and_levels_have_their_shares() {
    let file = full(TRADES, "");
    let mut run = Run::new(&file, 1);
    let trades: Vec<BTreeSet<SkillId>> =
        run.world().scenario.occupations.iter().map(|trade| trade.skills.iter().cloned().collect()).collect();
    let mut counts = [0; 3];
    let mut levels = [0; 6];
    for node in 2..42 {
        let awards = &run.world().node(node).person.awards;
        let skills: BTreeSet<SkillId> = awards.keys().cloned().collect();
        let trade = trades.iter().position(|trade| trade.is_superset(&skills)).unwrap_or(2);
        counts[trade] += 1;
        awards.values().for_each(|(level, _)| levels[usize::from(u8::from(*level))] += 1);
    }
    // Who has no trade may have only skills of one by chance.
    assert!((14..=26).contains(&counts[0]) && (6..=18).contains(&counts[1]) && counts[2] > 2, "{counts:?}");
    assert_eq!(levels[0] + levels[1] + levels[2] + levels[5], 0, "{levels:?}");
    assert!(levels[3] > 10 && levels[4] > levels[3], "{levels:?}");
    run.advance(u64::MAX).unwrap();
    let queries = &run.observed().queries;
    assert!(queries.len() > 20);
    let mut asked = [0; 2];
    for query in queries {
        let skills: Vec<&str> = query.text.split(['<', '>']).skip(1).step_by(2).collect();
        let [a, b] = skills[..] else { panic!("{}", query.text) };
        assert_ne!(a, b);
        let of =
            |trade: &BTreeSet<SkillId>| [a, b].iter().all(|x| trade.iter().any(|skill| skill.as_str() == *x));
        asked[trades.iter().position(of).unwrap_or_else(|| panic!("{}", query.text))] += 1;
    }
    assert!(asked[0] > 0 && asked[1] > 0, "{asked:?}");
    assert!(queries.iter().all(|query| query.asked == Asked::Answered && query.relevant > 0));
}

#[test]
fn the_exponent_says_how_common_the_commonest_is() {
    let commonest = |zipf: &str| {
        let text = format!(
            "title = \"x\"\nduration = \"1 s\"\n[population]\nprofessionals = 60\nskills = 20\nzipf = {zipf}"
        );
        let run = Run::new(&full(&text, ""), 1);
        let skill = &run.world().population().skills[0];
        (20..80).filter(|node| run.world().node(*node).person.awards.contains_key(skill)).count()
    };
    let [even, usual, steep] = ["0", "1.0", "3"].map(commonest);
    assert!(even < 15 && even < usual && usual < steep && steep > 45, "{even} {usual} {steep}");
}

#[test]
fn regions_stay_together_when_the_network_falls_apart() {
    let text = r#"
title = "Islands"
duration = "2 min"
[population]
employers = 2
professionals = 22
skills = 4
[[partitions]]
begin = "20 s"
heal = "60 s"
regions = [[2], [0, 1]]
"#;
    let mut run = Run::new(&full(text, ""), 1);
    let across = |run: &Run| {
        let world = run.world();
        let part = |node: u32| [1, 1, 0, 2][world.node(node).site.region as usize];
        (0..24)
            .flat_map(|a| world.node(a).links.iter().map(move |b| (a, *b)))
            .filter(|(a, b)| part(*a) != part(*b))
            .count()
    };
    run.advance(19_000).unwrap();
    assert!(across(&run) > 0);
    run.advance(40_000).unwrap();
    assert_eq!(across(&run), 0);
    for node in 0..24 {
        let node = run.world().node(node);
        assert_eq!(node.site.side, [1, 1, 0, 2][node.site.region as usize], "region {}", node.site.region);
        assert!(!node.links.is_empty(), "its own part is still there");
    }
    run.advance(u64::MAX).unwrap();
    assert!(across(&run) > 0);
}
