//! What faults and attackers do to the figures.

use knackmesh_simulations::overlay::{Attack, Behaviour, Bootstrap, Churn, End, Latency, Lifetime, Settings};

use crate::{run, small};

#[test]
fn nodes_that_are_away_cost_timeouts() {
    let sound = run(&small(), 3);
    let outcome = run(&Settings { offline_permille: 300, learn: false, ..small() }, 3);
    let timeouts: u64 = outcome.records.iter().map(|record| u64::from(record.timeouts)).sum();
    assert!(timeouts > 1000, "{timeouts}");
    assert_eq!(outcome.messages.undelivered, outcome.messages.requests - outcome.messages.responses);
    assert!(timeouts <= outcome.messages.undelivered);
    assert!(outcome.latency_mean_ms() > sound.latency_mean_ms());
    // Whoever is near is asked even so.
    assert!(outcome.found() > Some(0.9), "{:?}", outcome.found());
}

#[test]
fn lost_messages_cost_timeouts() {
    let outcome = run(&Settings { loss_permille: 100, ..small() }, 3);
    let messages = outcome.messages;
    let share = messages.lost as f64 / messages.total() as f64;
    assert!((share - 0.1).abs() < 0.01, "{share}");
    let timeouts: u64 = outcome.records.iter().map(|record| u64::from(record.timeouts)).sum();
    assert!(timeouts <= messages.lost && timeouts > messages.lost * 9 / 10, "{timeouts} {messages:?}");
}

#[test]
fn an_answer_after_its_time_is_late_and_a_timeout() {
    let latency = Latency::Uniform { min_ms: 20, max_ms: 200 };
    let outcome = run(&Settings { latency, timeout_ms: 300, ..small() }, 3);
    let timeouts: u64 = outcome.records.iter().map(|record| u64::from(record.timeouts)).sum();
    let share = timeouts as f64 / outcome.messages.requests as f64;
    // Two draws of 20 to 200 sum to 300 and more in 100 x 101 / 2 of 181 x 181 cases.
    assert!((share - 0.154).abs() < 0.02, "{share}");
    assert!(outcome.messages.late >= timeouts);
    // With a limit that none keeps, nothing is found and all end.
    let outcome = run(&Settings { timeout_ms: 10, ..small() }, 3);
    assert_eq!(outcome.ended(End::Missed), 600);
    assert_eq!(outcome.messages.late, outcome.messages.responses);
}

#[test]
fn attackers_lower_what_is_found() {
    let found = |permille, behaviour| {
        let attack = Some(Attack { permille, behaviour });
        run(&Settings { attack, ..small() }, 3).found().unwrap()
    };
    let honest = run(&small(), 3).found().unwrap();
    let (few, many) = (found(300, Behaviour::Eclipse), found(900, Behaviour::Eclipse));
    assert!(few <= honest && many < few - 0.05, "{honest} {few} {many}");
    let dropping = Attack { permille: 900, behaviour: Behaviour::Drop };
    let outcome = run(&Settings { attack: Some(dropping), ..small() }, 3);
    assert!(outcome.messages.dropped > outcome.messages.requests / 2);
    assert!(outcome.found().unwrap() < honest - 0.05);
}

#[test]
fn nobody_there_is_no_endless_run() {
    let outcome = run(&Settings { offline_permille: 1000, ..small() }, 3);
    assert_eq!(outcome.ended(End::Abandoned), 600);
    let attack = Some(Attack { permille: 1000, behaviour: Behaviour::Eclipse });
    assert_eq!(run(&Settings { attack, ..small() }, 3).ended(End::Abandoned), 600);
}

/// Half of the nodes are there, for ten minutes on average.
fn restless() -> Settings {
    let lifetime = Lifetime::Exponential { mean_ms: 600_000 };
    let churn = Some(Churn { session: lifetime, absence: lifetime, rejoin: true });
    Settings { churn, ..small() }
}

#[test]
fn nodes_that_leave_and_return_cost_timeouts_and_upkeep() {
    let outcome = run(&restless(), 3);
    let timeouts: u64 = outcome.records.iter().map(|record| u64::from(record.timeouts)).sum();
    assert!(timeouts > 600, "{timeouts}");
    assert!(outcome.messages.upkeep > 10_000, "{:?}", outcome.messages);
    assert!(outcome.messages.upkeep < outcome.messages.requests);
    assert!(outcome.found() > Some(0.9), "{:?}", outcome.found());
    assert!(outcome.ended(End::Abandoned) > 0);
    assert_eq!(outcome.ended(End::Open), 0);

    // Tables that do not follow are soon out of date.
    let stale = run(&Settings { learn: false, ..restless() }, 3);
    assert!(stale.found() < outcome.found(), "{:?} {:?}", stale.found(), outcome.found());
}

#[test]
fn a_run_with_all_there_is_has_one_history() {
    let settings = Settings {
        churn: Some(Churn::default()),
        attack: Some(Attack { permille: 100, behaviour: Behaviour::Eclipse }),
        paths: 3,
        loss_permille: 20,
        offline_permille: 100,
        bootstrap: Bootstrap::Complete,
        look_ups: 100,
        ..small()
    };
    let first = run(&settings, 5);
    assert_eq!(first.trace_hash, run(&settings, 5).trace_hash);
    assert_ne!(first.trace_hash, run(&settings, 6).trace_hash);
}

#[test]
fn disjoint_paths_cost_requests_and_withstand_liars() {
    let attack = Some(Attack { permille: 600, behaviour: Behaviour::Eclipse });
    let settings = Settings { attack, bootstrap: Bootstrap::Complete, ..small() };
    let (one, four) = (run(&settings, 3), run(&Settings { paths: 4, ..settings }, 3));
    assert!(four.messages.requests > one.messages.requests, "{:?}", four.messages);
    assert!(four.found() > one.found(), "{:?} {:?}", one.found(), four.found());
}
