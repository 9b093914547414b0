//! Who is there, how they gossip, and how they fall apart.

use super::*;

const TRADES: &str = r#"
[population]
employers = 2
professionals = 4
skills = 8
zipf = 1.25
levels = ["0 %", "50 %", "30 %", "10.5 %", "9.5 %"]

[[population.occupations]]
name = "data engineer"
share = "40 %"
skills = ["python", "SQL", "data warehouse"]

[[population.occupations]]
name = "nurse"
share = "10 %"
skills = ["pharmacology", "infection control"]
"#;

fn trades(from: &str, to: &str) -> Result<Plan, PlanError> {
    assert!(TRADES.contains(from) || SMALL.contains(from), "{from}");
    let text = SMALL.replace("[population]\nemployers = 2\nprofessionals = 4\nskills = 8\n", TRADES);
    Plan::read(&text.replace(from, to), &[])
}

#[test]
fn occupations_levels_and_the_exponent_are_taken_over() {
    let plan =
        trades("{skill} AND {skill 1}", "{occupation skill} AND {occupation skill} OR {skill}").unwrap();
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan, "{}", plan.to_toml());
    let scenario = full(&plan).scenario(1);
    assert_eq!((scenario.zipf_thousandths, scenario.levels_permille), (1250, Some([0, 500, 300, 105, 95])));
    let occupations = &scenario.occupations;
    assert_eq!(occupations.iter().map(|trade| trade.share_permille).collect::<Vec<_>>(), [400, 100]);
    let vocabulary = knackmesh_protocol::vocabulary::Vocabulary::embedded();
    let labels: Vec<&str> = occupations[0].skills.iter().map(|skill| vocabulary.label(skill)).collect();
    assert_eq!(labels, ["Python (computer programming)", "SQL", "data warehouse"]);
    let swept = SMALL.to_owned() + "[sweep]\n\"population.zipf\" = [0, \"0.8\", 2]";
    assert!(Plan::read(&swept, &[]).is_ok());
    let set = Plan::read(SMALL, &["population.zipf=0.8".parse().unwrap()]).unwrap();
    assert_eq!(full(&set).population.zipf, Exponent(800));
}

#[test]
fn what_is_wrong_with_people_is_said() {
    for (from, to, said) in [
        (
            "\"SQL\"",
            "\"SQLL\"",
            "population.occupations.0.skills.1: there is no skill `SQLL` in the embedded vocabulary; did you mean `SQL`?",
        ),
        ("\"SQL\"", "\"Python\"", "`Python` is named twice"),
        ("[\"pharmacology\", \"infection control\"]", "[]", "population.occupations.1.skills: 0 skills"),
        ("\"nurse\"", "\"data engineer\"", "population.occupations.1.name: a second `data engineer`"),
        ("\"10 %\"", "\"70 %\"", "population.occupations: the shares together are more than 100 %"),
        ("\"10 %\"", "\"0 %\"", "population.occupations.1.share: nobody has it"),
        ("\"9.5 %\"", "\"9 %\"", "population.levels: the five shares together are not 100 %"),
        (", \"9.5 %\"", "", "invalid length 4"),
        ("1.25", "4.5", "4.5 is not from 0 to 4"),
        ("1.25", "1.0005", "1.0005 is not from 0 to 4 in steps of 0.001"),
        ("1.25", "\"high\"", "a number from 0 to 4"),
        ("share = \"10 %\"", "shares = \"10 %\"", "did you mean `share`"),
        (
            "{skill 1}",
            "{occupation skill} AND {occupation skill} AND {occupation skill}",
            "`nurse` has only 2 skills",
        ),
        ("{skill 1}", "{occupation}", "{occupation skill} for one of an occupation"),
    ] {
        let refused = trades(from, to).unwrap_err().to_string();
        assert!(refused.contains(said), "{from} -> {to}: {refused}");
        assert!(refused.starts_with("line "), "{refused}");
    }
    assert!(changed("{skill 1}", "{occupation skill}").contains("there are no `population.occupations`"));
    let highest = "issuers = 2\nlevels = [\"0 %\", \"0 %\", \"0 %\", \"0 %\", \"100 %\"]\n[adversaries]\ntamper = 1\n[network]";
    assert!(changed("skills = 8", highest).contains("raises a level to the highest"));
}

#[test]
fn the_mesh_has_the_parameters_of_the_file() {
    let with = |more: &str| Plan::read(&format!("{SMALL}\n{more}"), &[]);
    let plan = with(
        "[network.mesh]\ndegree = 8\nlow = 5\nhigh = 9\noutbound = 4\nlazy = 3\nlazy_share = \"10 %\"\nheartbeat = \"700 ms\"\ntold = 2\nkept = 6\nbackoff = \"30 s\"\nflood_publish = false\nunwanted_above = 500",
    )
    .unwrap();
    let mesh = crate::mesh::Mesh {
        degree: 8,
        low: 5,
        high: 9,
        outbound: 4,
        lazy: 3,
        lazy_permille: 100,
        heartbeat_ms: 700,
        told: 2,
        kept: 6,
        backoff_ms: 30_000,
        flood_publish: false,
        unwanted_above: 500,
    };
    assert_eq!(full(&plan).scenario(1).gossip, crate::mesh::Gossip::Mesh(mesh));
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan);
    let usual = crate::mesh::Gossip::Mesh(crate::mesh::Mesh::LIBP2P);
    assert_eq!(full(&with("").unwrap()).scenario(1).gossip, usual, "the defaults are the node's");
    for (more, said) in [
        ("low = 7", "network.mesh.low: 7 is not from 1 to 6"),
        ("high = 5", "network.mesh.high: 5 is not from 6"),
        ("degree = 20", "network.mesh.high: 12 is not from 20"),
        ("outbound = 4", "network.mesh.outbound: 4 is not from 0 to 3"),
        ("told = 11", "network.mesh.told: 11 is not from 1 to 10"),
        ("kept = 0", "network.mesh.kept"),
        ("lazy_share = \"0.05 %\"", "not modelled"),
        ("heartbeat = \"1 ms\"", "1 ms is not from 10 ms to 1 min"),
        ("gossip_factor = 1", "there is no `gossip_factor`"),
    ] {
        let refused = with(&format!("[network.mesh]\n{more}")).unwrap_err().to_string();
        assert!(refused.contains(said), "{more}: {refused}");
    }
    let flood = "[network]\ngossip = \"flood\"\nmesh = { degree = 5 }";
    assert!(with(flood).unwrap_err().to_string().contains("gossip that floods has no mesh"));
    assert!(with("[sweep]\n\"network.gossip\" = [\"flood\", \"mesh\"]").is_ok());
}

#[test]
fn partitions_are_by_number_or_by_region() {
    let with = |more: &str| Plan::read(&format!("{SMALL}\n[[partitions]]\nbegin = \"5 s\"\n{more}"), &[]);
    assert_eq!(full(&with("").unwrap()).partitions[0].sides, Some(2), "the default");
    let plan = with("regions = [[0, 3], [2]]").unwrap();
    assert_eq!(full(&plan).partitions[0].sides, None);
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan);
    for (more, said) in [
        (
            "regions = [[0, 4]]",
            "partitions.0.regions: there is no region 4: `network.latency` has 4, counted from 0",
        ),
        ("regions = [[0], [0]]", "region 0 is named twice"),
        ("regions = [[0], []]", "a part without regions"),
        ("regions = [[0, 1, 2, 3]]", "all regions stay together"),
        ("regions = [[0]]\nsides = 2", "either `sides`, by number, or `regions`"),
        ("regions = [[0],[1],[2],[3],[4],[5],[6],[7]]", "8 parts; 7 at most"),
        ("sides = 9", "9 is not from 2 to 8"),
    ] {
        let refused = with(more).unwrap_err().to_string();
        assert!(refused.contains(said), "{more}: {refused}");
    }
    let uniform = "regions = [[0]]\n[network]\nlatency = { uniform = { min = \"1 ms\", max = \"2 ms\" } }";
    assert!(with(uniform).unwrap_err().to_string().contains("all regions stay together"));
}
