//! Interactive sessions work through the gate: terminals, their size, attaching and detaching.

use std::path::Path;

use super::support::process;
use super::support::site::{Site, at_both_doors};
use super::support::wait::DEADLINE;

#[test]
fn runs_a_shell_in_a_terminal() {
    at_both_doors(|site| {
        let dialogue = "
            expect #
            type tty; echo $((40+2))\\r
            expect /dev/pts/0
            expect 42
            type echo none; exit 3\\r
            end 3";
        play(site, dialogue, "run -it --rm busybox");
    });
}

#[test]
fn resizes_the_terminal_of_a_container() {
    at_both_doors(|site| {
        let script =
            "echo ready; until [ \"$(stty size)\" = \"37 91\" ]; do sleep 0.1; done; echo fits";
        let dialogue = "
            expect ready
            resize 37 91
            expect fits
            end 0";
        play(
            site,
            dialogue,
            &format!("run -it --rm busybox sh -c '{script}'"),
        );
    });
}

#[test]
fn runs_an_exec_in_a_terminal_and_resizes_it() {
    at_both_doors(|site| {
        let name = site.name("exec");
        site.docker
            .ok(format!("run -d --name {name} busybox sleep 600"));
        let dialogue = "
            expect #
            resize 41 103
            type until [ \"$(stty size)\" = \"41 103\" ]; do sleep 0.1; done; echo fits\\\"\\\"now\\r
            expect fitsnow
            type exit 4\\r
            end 4";
        play(site, dialogue, &format!("exec -it {name} sh"));
    });
}

#[test]
fn detaches_from_a_container_and_attaches_again() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("detached"));
        let dialogue = "
            expect #
            type kept=yes; echo set\\\"\\\"now\\r
            expect setnow
            type \\x10\\x11
            end 0";
        play(site, dialogue, &format!("run -it --name {name} busybox"));
        assert_eq!(
            docker.ok(format!("inspect --format {{{{.State.Running}}}} {name}")),
            "true"
        );

        let dialogue = "
            type echo kept=$kept\\r
            expect kept=yes
            type \\x10\\x11
            expect read escape sequence
            end 1";
        play(site, dialogue, &format!("attach {name}"));
        let dialogue = "
            type exit 6\\r
            end 6";
        play(
            site,
            dialogue,
            &format!("attach --detach-keys ctrl-x {name}"),
        );
    });
}

#[test]
fn a_signal_key_reaches_the_container() {
    at_both_doors(|site| {
        let script = "trap \"echo caught; exit 5\" INT; echo ready; while :; do sleep 0.1; done";
        let dialogue = "
            expect ready
            type \\x03
            expect caught
            end 5";
        play(
            site,
            dialogue,
            &format!("run -it --rm busybox sh -c '{script}'"),
        );
    });
}

/// Plays a dialogue, in the form that `tests/clients/terminal.py` tells, with `docker COMMAND` in a terminal.
fn play(site: &Site, dialogue: &str, command: &str) {
    let docker = site.docker.command(command);
    let mut terminal = site.docker.client("python3");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/terminal.py");
    terminal
        .arg(script)
        .arg(dialogue)
        .arg(docker.get_program())
        .args(docker.get_args());
    terminal.env("TERM", "xterm");
    process::run(&mut terminal, Vec::new(), DEADLINE * 3).ok(command);
}
