//! A home and its running node: one at a time, closed to others, at any path.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    process::{Command, Stdio},
};

use crate::harness::{Knack, finish, knack, until};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).permissions().mode() & 0o777
}

#[test]
fn a_home_is_open_to_its_owner_alone() {
    let mut home = Knack::new("home");
    home.up(&[]);
    for dir in ["", "keys", "store", "index"] {
        assert_eq!(mode(&home.home().join(dir)), 0o700, "{dir}");
    }
    assert_eq!(mode(&home.home().join("control.sock")), 0o600);
    for key in ["root", "view", "node"] {
        assert_eq!(mode(&home.home().join("keys").join(key)), 0o600, "{key}");
    }
    assert!(home.stop().success());
    assert!(!home.home().join("control.sock").exists(), "a clean end leaves no socket");
}

#[test]
fn what_is_in_a_home_that_was_open_to_others_before_is_closed() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    finish(knack().arg("--home").arg(dir.path()).arg("init")).ok();
    for inner in ["keys", "store", "index"] {
        assert_eq!(mode(&dir.path().join(inner)), 0o700, "{inner}");
    }
}

#[test]
fn a_second_node_for_one_home_is_refused_and_the_first_goes_on() {
    let mut home = Knack::new("home");
    home.up(&[]);
    let second = home.run(&["up", "--listen", "/ip4/127.0.0.1/tcp/0"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("a node already runs for this home"), "{second:?}");
    assert!(second.stderr.contains("--home"), "{second:?}");
    assert_eq!(home.status()["running"], true);
    home.kill();
    assert_eq!(home.status()["running"], false, "a socket left by a killed node misleads nobody");
    home.up(&[]);
    assert_eq!(home.status()["running"], true);
}

#[test]
fn a_home_with_a_very_long_path_has_its_socket_elsewhere_and_as_closed() {
    let long = "a-folder-with-a-rather-long-name/".repeat(6);
    let mut home = Knack::within("long", &long);
    assert!(home.home().as_os_str().len() > 150);
    home.up(&[]);
    assert_eq!(home.status()["running"], true);
    let socket = knackmesh::home::Home::find(Some(home.home().to_owned())).expect("a home").socket();
    assert_eq!((mode(&socket), mode(socket.parent().expect("a folder"))), (0o600, 0o700));
    assert!(home.stop().success());
    assert!(!socket.exists());
}

#[test]
fn noise_on_the_control_socket_is_answered_or_cut_off_and_the_node_goes_on() {
    let mut home = Knack::new("home");
    home.up(&[]);
    let socket = home.home().join("control.sock");
    let noises: [&[u8]; 6] = [
        b"\n",
        b"{}\n",
        b"{\"command\":\"status\"",
        b"{\"command\":\"publish\",\"lease_ms\":-1}\n",
        b"\xff\xfe\x00\n",
        &[b'['; 200_000],
    ];
    for noise in noises {
        let mut stream = UnixStream::connect(&socket).expect("it listens");
        // A node that has hung up takes no more.
        let _ = stream.write_all(noise);
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.contains("does not understand"), "{answer}");
    }
    until("the node still answers", || (home.status()["running"] == true).then_some(()));
    assert!(home.stop().success());
    assert!(!home.talk().contains("panicked"), "{}", home.talk());
}

/// A node of the home that was started under a bound on its descriptors: the bound that it has come to, and what it said.
#[cfg(target_os = "linux")]
fn descriptors_under(home: &Knack, bound: &str) -> (u64, String) {
    let of_node = home.command(&["up", "--listen", "/ip4/127.0.0.1/tcp/0"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{bound} && exec \"$0\" \"$@\"")]);
    shell.arg(of_node.get_program()).args(of_node.get_args()).env_remove("RUST_LOG");
    let mut node = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
    let lines = BufReader::new(node.stdout.take().expect("piped")).lines();
    let is_ready = lines.map_while(Result::ok).any(|line| line == "ready");
    let limits = fs::read_to_string(format!("/proc/{}/limits", node.id())).unwrap_or_default();
    node.kill().expect("killed");
    let said = node.wait_with_output().expect("ended").stderr;
    let said = String::from_utf8(said).expect("text");
    assert!(is_ready, "{said}");
    let open = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("a bound");
    (open.split_whitespace().next().expect("a figure").parse().expect("a number"), said)
}

#[cfg(target_os = "linux")]
#[test]
fn a_node_takes_the_descriptors_that_it_may_and_says_when_they_are_few() {
    let home = Knack::new("home");
    let (allowed, said) = descriptors_under(&home, "ulimit -S -n 250");
    assert!(allowed >= knackmesh::descriptors::NEEDED, "{allowed}");
    assert_eq!(said, "");
    let (allowed, said) = descriptors_under(&home, "ulimit -n 250");
    assert_eq!(allowed, 250);
    assert!(said.contains("allows 250 open files") && said.contains("ulimit -n"), "{said}");
}
