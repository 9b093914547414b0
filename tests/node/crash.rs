//! `kill -9`: what was confirmed is kept, and what was not is undone or done, never half of it.

use std::{process::Stdio, time::Duration};

use knackmesh_protocol::{
    consent::Present,
    message::Item,
    peer::{Command, CommandId, Input, Memory, Output},
    time::Timestamp,
};

use crate::{
    harness::{Knack, finish, until},
    people::{Holder, NOW, Shelf, World, draft},
};

#[test]
fn nothing_confirmed_is_lost_to_kill_9() {
    let [mut witness, mut holder] = Knack::cast(["witness", "holder"]);
    witness.up(&[]);
    let bootstrap = witness.listen().to_vec();
    holder.up(&bootstrap);
    for round in 1..=3_u64 {
        let level = u8::try_from(round).expect("small");
        let restart = |holder: &mut Knack| {
            holder.kill();
            holder.up(&bootstrap);
        };

        let file = witness.issue(&holder, "rust", level);
        holder.json(&["import", &file]);
        restart(&mut holder);
        assert_eq!(holder.json(&["credentials"]).as_array().map(Vec::len), Some(level.into()));

        holder.json(&["trust", "add", &witness.did(), "--name", &format!("round {round}")]);
        holder.kill();
        // A stopped node answers from the same store.
        assert_eq!(holder.json(&["trust", "list"])[0]["name"], format!("round {round}"));
        holder.up(&bootstrap);

        holder.json(&["profile", "--claim", &format!("haskell={level}"), "--region", "DE"]);
        restart(&mut holder);
        let profile = holder.json(&["profile"]);
        assert_eq!(
            (&profile["claims"][0]["level"], &profile["terms"]["region"]),
            (&level.into(), &"DE".into())
        );

        let published = holder.json(&["publish", "--present", "anyone"]);
        restart(&mut holder);
        assert_eq!(holder.status()["published_until"], published["published_until"]);
        witness.knows(1);
        until("the holder presents after the crash", || {
            (witness.query("rust tier:issuer")["results"][0]["verified"] == true).then_some(())
        });

        let withdrawn = holder.json(&["withdraw"]);
        assert_eq!(withdrawn["was_published"], true);
        restart(&mut holder);
        assert_eq!(holder.status()["published_until"], serde_json::Value::Null);
        witness.knows(0);
        holder.knows(0);
        assert!(witness.finds("rust").is_empty());
        until("the hash table has the withdrawal", || {
            (finish(&mut witness.command(&["lookup", &holder.view()])).code == Some(4)).then_some(())
        });
    }
}

#[test]
fn a_withdrawal_cut_short_anywhere_is_done_or_undone_and_others_agree() {
    let [mut witness, mut holder] = Knack::cast(["witness", "holder"]);
    witness.up(&[]);
    let bootstrap = witness.listen().to_vec();
    holder.json(&["profile", "--claim", "rust=3"]);
    for delay_ms in [0, 3, 10, 30, 100] {
        holder.up(&bootstrap);
        holder.json(&["publish"]);
        witness.knows(1);
        let mut command = holder.command(&["withdraw"]);
        let mut withdraw = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        std::thread::sleep(Duration::from_millis(delay_ms));
        holder.kill();
        // Without its node the command may end the publication itself; then that must hold.
        withdraw.wait().expect("our child");
        holder.up(&bootstrap);
        let still = holder.status()["published_until"] != serde_json::Value::Null;
        holder.knows(still.into());
        witness.knows(still.into());
        if still {
            holder.json(&["withdraw"]);
            witness.knows(0);
        }
        holder.stop();
    }
}

/// What is kept of `outputs` when the process is killed after the `kept`th change.
fn memory_after(before: &Memory, outputs: &[Output], kept: usize) -> Memory {
    let mut shelf = Shelf::default();
    shelf.memory = before.clone();
    let changes = outputs.iter().filter_map(|o| match o {
        Output::Persist(change) => Some(change),
        _ => None,
    });
    changes.take(kept).for_each(|change| shelf.keep(change));
    shelf.memory
}

fn own_item(memory: &Memory, holder: &Holder) -> Option<Item> {
    memory.items.iter().find(|i| i.view() == holder.identity.view.public()).cloned()
}

/// Restarted from `memory`, the holder's publication and what is spread of it tell the same.
fn assert_whole(holder: &Holder, memory: Memory, now: Timestamp) {
    let mut world = World::new(holder.identity.clone(), memory, vec![holder.credential.clone()], now);
    world.handle(now, Input::Wake);
    let published = world.peer.publication().is_some();
    let spread = matches!(own_item(&world.shelf.memory, holder), Some(Item::Summary(_)));
    assert_eq!(published, spread, "published, and spread");
    assert_eq!(world.shelf.memory.publication.is_some(), published, "kept as it is");
}

#[test]
fn killed_between_any_two_changes_a_start_makes_it_whole() {
    let holder = Holder::new(1, 2);
    let mut world =
        World::new(holder.identity.clone(), Memory::default(), vec![holder.credential.clone()], NOW);
    let (content, openings) = draft(&holder.identity, &holder.credential);
    let publish = Command::Publish { content, openings, present: Present::Anyone, lease_ms: 3_600_000 };
    for (n, command) in [publish.clone(), publish, Command::Withdraw].into_iter().enumerate() {
        let now = NOW.plus_ms(n as u64 * 1_000);
        let before = world.shelf.memory.clone();
        let outputs = world.handle(now, Input::Command(CommandId(n as u64), command));
        let changes = outputs.iter().filter(|o| matches!(o, Output::Persist(_))).count();
        assert!(changes >= 2, "command {n} makes several changes");
        for kept in 0..=changes {
            assert_whole(&holder, memory_after(&before, &outputs, kept), now);
        }
    }
}

#[test]
fn what_expired_while_nothing_ran_is_forgotten_at_the_start() {
    let holder = Holder::new(1, 2);
    let mut world =
        World::new(holder.identity.clone(), Memory::default(), vec![holder.credential.clone()], NOW);
    let (content, openings) = draft(&holder.identity, &holder.credential);
    let publish = Command::Publish { content, openings, present: Present::Anyone, lease_ms: 3_600_000 };
    world.handle(NOW, Input::Command(CommandId(1), publish));
    let memory = world.shelf.memory.clone();
    assert!(own_item(&memory, &holder).is_some());
    let later = NOW.plus_ms(3_600_001);
    let mut restarted = World::new(holder.identity.clone(), memory, Vec::new(), later);
    assert!(restarted.peer.publication().is_none(), "at once, for `knack status` of a stopped node");
    restarted.handle(later, Input::Wake);
    assert!(restarted.shelf.memory.items.is_empty());
    assert!(restarted.shelf.memory.publication.is_none());
}
