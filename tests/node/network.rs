//! One network of ten processes from its first publication to its last.

use crate::harness::{Knack, finish, until, views};

#[test]
fn ten_nodes_publish_find_join_late_restart_withdraw_and_expire() {
    let [mut school, mut employer, mut ada, mut ben, mut chloe, mut dora, mut emil, mut fay] =
        Knack::cast(["school", "employer", "ada", "ben", "chloe", "dora", "emil", "fay"]);
    school.up(&[]);
    let bootstrap = school.listen().to_vec();
    employer.json(&["trust", "add", &school.did(), "--name", "School"]);
    let skills: [(&Knack, &[(&str, u8)]); 6] = [
        (&ada, &[("rust", 5), ("kubernetes", 4)]),
        (&ben, &[("rust", 4), ("nomad", 3)]),
        (&chloe, &[("python", 5)]),
        (&dora, &[("rust", 3), ("kubernetes", 3)]),
        (&emil, &[("rust", 3), ("nomad", 5)]),
        (&fay, &[("haskell", 5)]),
    ];
    for (holder, awards) in skills {
        awards.iter().for_each(|(skill, level)| school.award(holder, skill, *level));
    }
    for knack in [&mut employer, &mut ada, &mut ben, &mut chloe, &mut dora, &mut emil, &mut fay] {
        knack.up(&bootstrap);
    }

    // Publish and find.
    for holder in [&ada, &ben, &chloe, &dora] {
        let published = holder.json(&["publish", "--present", "anyone"]);
        assert_eq!(published["announced"], true, "{published}");
    }
    emil.json(&["publish", "--for", "40s", "--present", "anyone"]);
    for knack in [&school, &employer, &ada, &fay] {
        knack.knows(5);
    }
    let found = employer.query("rust>=4 AND kubernetes");
    let first = &found["results"][0];
    assert_eq!(first["holder"], ada.did(), "{found:#}");
    assert_eq!((&first["verified"], &first["recognised"]), (&true.into(), &true.into()), "{found:#}");
    assert_eq!(found["results"].as_array().map(Vec::len), Some(1), "{found:#}");
    assert!(found["coverage"]["answered"].as_u64() >= Some(1), "{found:#}");

    // An OR query finds holders of either, from wherever it is asked.
    for knack in [&employer, &school, &chloe] {
        assert_eq!(knack.finds("kubernetes OR nomad"), views(&[&ada, &ben, &dora, &emil]), "{}", knack.name);
        assert_eq!(knack.finds("python OR (rust AND nomad)"), views(&[&ben, &chloe, &emil]));
    }

    // A late joiner finds all that was published before it came, and is found.
    let [mut gus, mut hana] = Knack::cast(["gus", "hana"]);
    gus.up(&bootstrap);
    // A question in the moment after the start waits until somebody is connected: exit code 6 would be refused here.
    assert!(gus.query("rust")["coverage"]["answered"].as_u64() >= Some(1));
    gus.knows(5);
    assert_eq!(gus.finds("rust"), views(&[&ada, &ben, &dora, &emil]));
    gus.json(&["profile", "--claim", "cobol=4"]);
    gus.json(&["publish"]);
    employer.knows(6);
    assert_eq!(employer.finds("cobol"), views(&[&gus]));

    // Whoever restarts finds all it knew, and what was published while it was away.
    assert!(employer.stop().success());
    school.award(&hana, "terraform", 4);
    hana.up(&bootstrap);
    hana.json(&["publish", "--present", "anyone"]);
    employer.up(&bootstrap);
    employer.knows(7);
    assert_eq!(employer.finds("terraform"), views(&[&hana]));
    assert_eq!(employer.finds("python"), views(&[&chloe]));

    // A withdrawal vanishes everywhere: from every index, every answer, and the hash table.
    let withdrawn = dora.json(&["withdraw"]);
    assert_eq!(withdrawn["was_published"], true, "{withdrawn}");
    assert!(withdrawn["acknowledged"].as_u64() >= Some(1), "{withdrawn}");
    // Fay asks nothing: an inquiry names its seeker, and nobody is to have heard of her.
    let others = [&school, &employer, &ada, &ben, &chloe, &dora, &emil, &gus, &hana];
    for knack in others {
        until(&format!("{} forgets dora", knack.name), || {
            (!knack.finds("rust").contains(&dora.view())).then_some(())
        });
    }
    for knack in [&employer, &gus] {
        until("the hash table says that dora withdrew", || {
            (finish(&mut knack.command(&["lookup", &dora.view()])).code == Some(4)).then_some(())
        });
    }

    // So does a lease that ends.
    fay.knows(5);
    for knack in others {
        until(&format!("{} forgets emil", knack.name), || {
            let knows = knack.status()["index"]["summaries"].as_u64();
            (knows == Some(5) && knack.finds("nomad") == views(&[&ben])).then_some(())
        });
    }
    assert_eq!(emil.status()["published_until"], serde_json::Value::Null);
    assert_eq!(finish(&mut employer.command(&["lookup", &emil.view()])).code, Some(1));

    // Who never consented is known to nobody, having been connected all the time.
    assert!(fay.status()["peers"].as_u64() >= Some(1));
    crate::consent::nobody_holds(&fay, &others, &ada, &school);
    assert!(employer.finds("haskell").is_empty());
    for knack in [&employer, &ada] {
        assert_eq!(finish(&mut knack.command(&["lookup", &fay.view()])).code, Some(1));
    }
}
