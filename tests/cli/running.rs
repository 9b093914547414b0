//! A home and its running node: one at a time, closed to others, at any path.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
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
