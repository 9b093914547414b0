//! Files that a scenario names.

use super::*;

const STAYS: &str = "node,start,stop\n3,2,40 s\n";
const TABLE: &str = "0,30,50\n30,0,\n50,-1,0\n";
const GRAPH: &str = r#"graph [
    node [ id 0 ] node [ id 1 ]
    edge [ source 0 target 1 latency "10 ms" packet_loss 0.2 ]
]"#;

fn lend(name: &str) -> Result<String, String> {
    match name {
        "stays.csv" => Ok(STAYS.to_owned()),
        "data/king.csv" => Ok(TABLE.to_owned()),
        "graph.gml" => Ok(GRAPH.to_owned()),
        _ => Err("no such file".to_owned()),
    }
}

fn read(more: &str) -> Result<Plan, PlanError> {
    Plan::read_lent(&format!("{SMALL}\n{more}"), &[], &Lending::new(lend))
}

fn refused(more: &str) -> String {
    read(more).unwrap_err().to_string()
}

#[test]
fn a_trace_is_taken_over_and_kept() {
    let plan = read("[churn]\ntrace = \"stays.csv\"\ncrashes = \"25 %\"").unwrap();
    let stays = vec![crate::churn::Stay { node: 3, start_ms: 2000, stop_ms: 40_000 }];
    assert_eq!(full(&plan).scenario(1).churn, crate::churn::Churn::Trace { stays, crash_permille: 250 });
    let inputs = plan.file.inputs();
    assert_eq!((inputs.len(), inputs[0].name.as_str(), &*inputs[0].text), (1, "stays.csv", STAYS));
    let toml = plan.to_toml();
    assert!(toml.contains("trace = \"stays.csv\"") && !toml.contains("session"), "{toml}");
    assert_eq!(Plan::read_lent(&toml, &[], &Lending::new(lend)).unwrap(), plan);
}

#[test]
fn tables_of_latencies_are_taken_over() {
    let table = |latency: &str| {
        let plan = read(&format!("[network]\nlatency = {{ {latency} }}")).unwrap();
        let again = Plan::read_lent(&plan.to_toml(), &[], &Lending::new(lend)).unwrap();
        assert_eq!(again, plan);
        let latency = full(&plan).scenario(1).latency;
        let row = |from| (0..latency.places(1)).map(|to| latency.least_ms(from, to)).collect::<Vec<_>>();
        ((0..latency.places(1)).map(row).collect::<Vec<_>>(), latency)
    };
    let (round_trip, _) = table("matrix = { file = \"data/king.csv\", is = \"round_trip\" }");
    assert_eq!(round_trip, [[0, 15, 25], [15, 0, 25], [25, 25, 0]]);
    let (one_way, latency) =
        table("matrix = { file = \"data/king.csv\", is = \"one_way\", jitter = \"3 ms\" }");
    assert_eq!(one_way, [[0, 30, 50], [30, 0, 50], [50, 50, 0]]);
    assert!(matches!(latency, crate::latency::Latency::Matrix { jitter_ms: 3, .. }));
    let (graph, latency) = table("gml = { file = \"graph.gml\" }");
    assert_eq!(graph, [[0, 10], [10, 0]]);
    assert_eq!(latency.lost_ppm(0, 1), 200_000);
}

#[test]
fn the_overlay_takes_the_same_tables() {
    let engine = |latency: &str| {
        let text = format!(
            "title = \"x\"\nfidelity = \"overlay\"\nduration = \"1 h\"\nlook_ups = 9\n[network]\nlatency = {{ {latency} }}"
        );
        let plan = Plan::read_lent(&text, &[], &Lending::new(lend)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(Plan::read_lent(&plan.to_toml(), &[], &Lending::new(lend)).unwrap(), plan);
        let inputs = plan.file.inputs().len();
        let File::Overlay(overlay) = &plan.file else { panic!("not an overlay") };
        match overlay.engine().latency {
            crate::overlay::Latency::Table(table) => (table, inputs),
            crate::overlay::Latency::Uniform { .. } => panic!("a range"),
        }
    };
    let (matrix, inputs) =
        engine("matrix = { file = \"data/king.csv\", is = \"one_way\", jitter = \"3 ms\" }");
    assert_eq!((matrix.distances.one_way_ms(0, 1), matrix.jitter_ms, inputs), (30, 3, 1));
    let (graph, _) = engine("gml = { file = \"graph.gml\" }");
    assert_eq!((graph.distances.one_way_ms(1, 0), graph.distances.lost_ppm(1, 0)), (10, 200_000));
    let regions = "regions = { shares = [\"60 %\", \"40 %\"], one_way = [[\"5 ms\", \"50 ms\"], [\"51 ms\", \"8 ms\"]] }";
    let (regions, _) = engine(regions);
    assert_eq!((regions.shares_permille, regions.distances.one_way_ms(1, 0)), (Some(vec![600, 400]), 51));
    let bad = "title = \"x\"\nfidelity = \"overlay\"\nduration = \"1 h\"\nlook_ups = 9\n[network.latency.regions]\nshares = [\"60 %\"]\none_way = [[\"5 ms\"]]";
    assert!(
        super::refused(bad)
            .contains("line 5, column 18: network.latency.regions: the shares together are not 100 %"),
        "{}",
        super::refused(bad)
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_file_and_line_and_what_to_do() {
    let wrong = |text: &str| {
        let lend = |_: &str| Ok(text.to_owned());
        let scenario = format!("{SMALL}\n[churn]\ntrace = \"stays.csv\"");
        Plan::read_lent(&scenario, &[], &Lending::new(lend)).unwrap_err()
    };
    let error = wrong("node,start,stop\n1,x,2");
    let said = "line 19, column 1: churn.trace: stays.csv, line 2: `x` is no duration: write \"20 ms\", \"30 s\", \"5 min\", \"3.7 h\" or \"2 d\"; without a unit it is seconds";
    assert_eq!(error.to_string(), said);
    assert_eq!(
        (error.code(), error.advice().as_str()),
        ("file-refused", "correct stays.csv, or name another file")
    );
    let error = wrong("node,start,stop\n1,0,2\n6,1,2");
    assert!(
        error.to_string().contains("stays.csv, line 3: there is no node 6: there are 6, numbered from 0"),
        "{error}"
    );
    let error = read("[churn]\ntrace = \"stay.csv\"").unwrap_err();
    assert_eq!(error.to_string(), "line 19, column 1: churn.trace: stay.csv: no such file");
    assert!(
        error.code() == "file-absent" && error.advice().contains("beside the scenario"),
        "{}",
        error.advice()
    );
    let error = Plan::read(&format!("{SMALL}\n[churn]\ntrace = \"stays.csv\""), &[]).unwrap_err();
    assert!(error.to_string().contains("no files are lent here"), "{error}");
}

#[test]
fn names_lead_nowhere_else() {
    for name in ["/etc/passwd", "../stays.csv", "a/../b", "", "a//b", "./a", "c:\\x", &"x".repeat(201)] {
        let said = refused(&format!("[churn]\ntrace = {name:?}"));
        assert!(said.starts_with("line 19, column 9: ") && said.contains("relative to it"), "{name}: {said}");
    }
    assert!(refused("[churn]\ntrace = 3").contains("expected a string"), "{}", refused("[churn]\ntrace = 3"));
}

#[test]
fn a_trace_and_chance_exclude_each_other() {
    for key in [
        "session = { exponential = { mean = \"1 s\" } }",
        "gap = { exponential = { mean = \"1 s\" } }",
        "share = \"50 %\"",
        "from = \"1 s\"",
    ] {
        let said = refused(&format!("[churn]\ntrace = \"stays.csv\"\n{key}"));
        assert!(said.starts_with("line 20") && said.contains("leave one of the two out"), "{said}");
    }
    let said = refused("[network]\nlatency = { matrix = { file = \"data/king.csv\" } }");
    assert!(said.contains("missing field `is`"), "{said}");
    let said = refused("[network]\nlatency = { matrix = { file = \"data/king.csv\", is = \"oneway\" } }");
    assert!(said.contains("did you mean `one_way`"), "{said}");
    let overlay =
        "title = \"x\"\nfidelity = \"overlay\"\nduration = \"1 h\"\nlook_ups = 9\n[churn]\ntrace = \"x\"";
    assert!(Plan::read(overlay, &[]).unwrap_err().to_string().contains("`trace` is not modelled"));
}

#[test]
fn a_file_is_read_once_for_many_plans_and_swept_like_any_value() {
    let count = std::cell::Cell::new(0);
    let lending = Lending::new(|name| {
        count.set(count.get() + 1);
        lend(name)
    });
    let scenario = format!(
        "{SMALL}\n[network]\nlatency = {{ gml = {{ file = \"graph.gml\" }} }}\n[sweep]\n\"network.loss\" = [\"0 %\", \"1 %\"]"
    );
    let plan = Plan::read_lent(&scenario, &[], &lending).unwrap();
    let again = Plan::read_lent(&scenario, &["network.loss=3 %".parse().unwrap()], &lending).unwrap();
    assert_eq!(count.get(), 1);
    let distances = |plan: &Plan| match &full(plan).network.latency {
        Latency::Gml(graph) => graph.file.content().clone(),
        _ => panic!("no graph"),
    };
    assert!(std::sync::Arc::ptr_eq(&distances(&plan), &distances(&again)));
    let swept = scenario.replace(
        "\"network.loss\" = [\"0 %\", \"1 %\"]",
        "\"network.latency.gml.file\" = [\"graph.gml\", \"none.gml\"]",
    );
    let said = Plan::read_lent(&swept, &[], &lending).unwrap_err().to_string();
    assert!(
        said.contains(
            "sweep.network.latency.gml.file: none.gml: network.latency.gml.file: none.gml: no such file"
        ),
        "{said}"
    );
}
