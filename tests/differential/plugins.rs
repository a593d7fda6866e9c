//! Settings of a managed plugin, the one list that is a body and whose effect the daemon shows.

use super::bodies::written;
use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::loose::Loose;
use super::tried;
use crate::support::random::Random;
use crate::support::{engine, process};

const SETTABLE: &str = r#"{"description":"{name}","documentation":"","entrypoint":["/x"],
    "interface":{"types":["docker.dummy/1.0"],"socket":"p.sock"},"network":{"type":"null"},
    "linux":{"capabilities":null,"devices":null},
    "env":[{"name":"DEBUG","settable":["value"],"value":"0"},{"name":"debug","settable":["value"],"value":"0"}],
    "args":{"name":"args","settable":["value"],"value":["a"]},
    "mounts":[{"name":"data","source":"/srv","destination":"/mnt","type":"bind","options":["rbind"],"settable":["source"]}]}"#;

#[rustfmt::skip]
const SETTINGS: &[&str] = &[
    "\"DEBUG=1\"", "\"DEBUG=\"", "\"DEBUG=a=b\"", "\"debug=2\"", "\"DEBUG\"", "\"DEBUG.value=3\"", "\"args=x y\"", "\"args=\"",
    "\"data.source=/tmp\"", "\"data=/opt\"", "\"D\\u0045BUG=4\"", "\"DEBUG=\\u00e9\"", "\" DEBUG=5\"", "\"=6\"", "\"\"", "null",
    "\"OTHER=1\"",
];

#[test]
fn plugins_are_set_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    engine::make_plugin(&name, SETTABLE);
    let policy = judged::compiled(
        "description = 'settings'\n[[permit]]\noperations = ['PluginSet']\n[plugin]\nreferences = ['*']\nsettings = ['*']\n",
    );
    let target = format!("/v1.41/plugins/{name}/set");
    let make = |random: &mut Random| {
        let settings = (0..random.below(4)).map(|_| Loose::raw(random.pick(SETTINGS)));
        Sent::new(
            "POST",
            &target,
            &written(Loose::List(settings.collect()), random),
        )
    };
    let first = br#"["DEBUG=0","debug=0","args=a","data.source=/srv"]"#;
    let place = format!("/v1.41/plugins/{name}/json");
    let tally = tried((71, 3000, 250), &[policy], make, |sent, _| {
        let reset = Sent::new("POST", &target, first).ask(&daemon);
        assert_eq!(reset.status, 204, "{}", reset.text());
        let answer = sent.ask(&daemon);
        let found = effect::inspect(&daemon, &place);
        Effect::of(&answer, found["Settings"].clone())
    });
    engine::clean(&name);
    tally.check("bodies of PluginSet", 150, 50);
}
