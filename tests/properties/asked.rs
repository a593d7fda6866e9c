//! Requests that are made up: every operation, and what each key of a policy is about.

use std::fmt;

use dockgate::decision::enters_container;
use dockgate::engine_api::Operation;
use dockgate::engine_api::operation::Tag;
use proptest::prelude::*;

/// A request as a client would write it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: String,
}

impl Asked {
    fn new(line: &str, body: &str) -> Self {
        let (method, target) = line.split_once(' ').unwrap();
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            body: body.to_owned(),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, self.target, self.body)
    }
}

/// Members of a `HostConfig`.
#[rustfmt::skip]
const HOST_CONFIG: &[&str] = &[
    r#""Privileged":true"#, r#""CapAdd":["NET_ADMIN"]"#, r#""CapAdd":["SYS_PTRACE","CHOWN"]"#, r#""CapAdd":["SYS_TIME"]"#,
    r#""Binds":["/srv/a:/a"]"#, r#""Binds":["/srv/a/x:/a:ro"]"#, r#""Binds":["/srv/b:/b"]"#, r#""Binds":["/srv/b/deep:/b"]"#,
    r#""Binds":["/srv/sock/s:/s"]"#, r#""Binds":["/var/lib/docker:/d"]"#, r#""Binds":["data:/v"]"#, r#""Binds":["away:/v"]"#,
    r#""Binds":["far:/v"]"#, r#""Binds":["etc:/v"]"#, r#""Binds":["fresh:/v"]"#, r#""Binds":["mute:/v"]"#,
    r#""Mounts":[{"Type":"bind","Source":"/srv/a","Target":"/a"}]"#,
    r#""Mounts":[{"Type":"bind","Source":"/srv/b","Target":"/a"}]"#,
    r#""Mounts":[{"Type":"volume","Source":"n","Target":"/a","VolumeOptions":{"DriverConfig":{"Name":"rclone","Options":{"a":"b"}}}}]"#,
    r#""PidMode":"host""#, r#""PidMode":"container:plain""#, r#""PidMode":"container:gone""#, r#""PidMode":"container:mute""#,
    r#""IpcMode":"host""#, r#""IpcMode":"container:plain""#, r#""IpcMode":"container:root""#, r#""UTSMode":"host""#,
    r#""UsernsMode":"host""#, r#""CgroupnsMode":"host""#, r#""NetworkMode":"host""#, r#""NetworkMode":"none""#,
    r#""NetworkMode":"bridge""#, r#""NetworkMode":"own""#, r#""NetworkMode":"theirs""#, r#""NetworkMode":"quiet""#,
    r#""NetworkMode":"wide""#, r#""NetworkMode":"absent""#, r#""NetworkMode":"3333""#, r#""NetworkMode":"1111""#,
    r#""NetworkMode":"container:plain""#, r#""NetworkMode":"container:behind""#, r#""NetworkMode":"container:gone""#,
    r#""Devices":[{"PathOnHost":"/dev/fuse"}]"#, r#""DeviceRequests":[{"Count":1}]"#, r#""DeviceCgroupRules":["c 10:229 rwm"]"#,
    r#""SecurityOpt":["seccomp=unconfined"]"#, r#""SecurityOpt":["apparmor:unconfined"]"#, r#""Sysctls":{"net.core.somaxconn":"1"}"#,
    r#""Runtime":"runsc""#, r#""CgroupParent":"jobs.slice""#, r#""OomScoreAdj":-1"#, r#""OomKillDisable":true"#,
    r#""Annotations":{"org.acme.x":"1"}"#, r#""LogConfig":{"Type":"syslog"}"#, r#""MaskedPaths":[]"#, r#""PublishAllPorts":true"#,
    r#""PortBindings":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}]}"#, r#""PortBindings":{"80/tcp":[{"HostPort":"80"}]}"#,
    r#""VolumeDriver":"rclone""#, r#""Links":["plain:p"]"#, r#""Links":["gone:g"]"#, r#""Links":["mute:g"]"#,
    r#""VolumesFrom":["plain"]"#, r#""VolumesFrom":["bound:ro"]"#, r#""VolumesFrom":["gone"]"#, r#""VolumesFrom":["inheriting"]"#,
    r#""NetworkMode":"own","Links":["gone:g"]"#, r#""NetworkMode":"quiet","Links":["plain:g"]"#, r#""NetworkMode":"own","Links":["mute:g"]"#,
    r#""Ulimits":[{"Name":"rtprio","Hard":1}]"#, r#""Ulimits":[{"Name":"MEMLOCK","Hard":-1}]"#, r#""CpuRealtimeRuntime":1"#,
    r#""Memory":67108864"#, r#""AutoRemove":true"#, r#""Unheard":1"#,
];

/// Images and what else stands beside a `HostConfig`.
#[rustfmt::skip]
const BESIDE: &[&str] = &[
    r#""Image":"busybox""#, r#""Image":"busybox""#, r#""Image":"busybox""#, r#""Image":"r.example/b:1""#, r#""Image":"abab""#,
    r#""Image":"sha256:abababababababababababababababababababababababababababababababab""#, r#""Image":"cdcd""#, r#""Cmd":["a"]"#,
    r#""Image":"busybox","NetworkingConfig":{"EndpointsConfig":{"own":{}}}"#,
    r#""Image":"busybox","NetworkingConfig":{"EndpointsConfig":{"quiet":{"DriverOpts":{"com.docker.network.bridge.name":"x"}}}}"#,
    r#""Image":"busybox","NetworkDisabled":true"#,
];

/// Requests other than the create of a container: a line and a body.
#[rustfmt::skip]
const OTHERS: &[(&str, &str)] = &[
    ("POST /v1.43/volumes/create", r#"{"Name":"v"}"#), ("POST /v1.43/volumes/create", r#"{"Name":"v","Driver":"rclone","DriverOpts":{"a":"b"}}"#),
    ("POST /v1.43/volumes/create", r#"{"DriverOpts":{"type":"nfs","device":":/x","o":"addr=10.0.0.1"}}"#),
    ("POST /v1.43/volumes/create", r#"{"DriverOpts":{"type":"none","device":"/srv/a","o":"bind"}}"#),
    ("POST /v1.43/networks/create", r#"{"Name":"n"}"#), ("POST /v1.43/networks/create", r#"{"Name":"n","Labels":{"dockgate.owner":"me"}}"#),
    ("POST /v1.43/networks/create", r#"{"Name":"n","Labels":{"dockgate.owner":"you"}}"#),
    ("POST /v1.43/networks/create", r#"{"Name":"n","Options":{"com.docker.network.bridge.enable_icc":"true"}}"#),
    ("POST /v1.43/networks/create", r#"{"Name":"n","Options":{"com.docker.network.bridge.enable_icc":"false"}}"#),
    ("POST /v1.43/networks/create", r#"{"Name":"n","Options":{"com.docker.network.bridge.name":"b"}}"#),
    ("POST /v1.43/networks/create", r#"{"Name":"n","Driver":"macvlan","Options":{"parent":"eth1"}}"#),
    ("POST /v1.43/networks/create", r#"{"Name":"n","IPAM":{"Config":[{"Subnet":"10.1.0.0/16"}]}}"#),
    ("POST /v1.43/networks/own/connect", r#"{"Container":"plain"}"#), ("POST /v1.43/networks/theirs/connect", r#"{"Container":"linked"}"#),
    ("POST /v1.43/networks/bridge/connect", r#"{"Container":"alone"}"#), ("POST /v1.43/networks/3333/connect", r#"{"Container":"gone"}"#),
    ("POST /v1.43/networks/own/disconnect", r#"{"Container":"plain"}"#),
    ("POST /v1.43/images/create?fromImage=busybox&tag=1", ""), ("POST /v1.43/images/create?fromImage=r.example/b", ""),
    ("POST /v1.43/images/create?fromSrc=http://a.example/x.tar", ""), ("POST /v1.43/images/create?fromSrc=-&repo=busybox", ""),
    ("POST /v1.43/images/busybox/tag?repo=r.example/b", ""), ("POST /v1.43/images/abab/tag?repo=busybox", ""),
    ("DELETE /v1.43/images/busybox", ""), ("DELETE /v1.43/images/abab", ""), ("POST /v1.43/images/r.example/b/push?tag=1", ""),
    ("POST /v1.43/commit?container=plain&repo=busybox", "{}"), ("POST /v1.43/commit?container=bound&repo=x", "{}"),
    ("POST /v1.43/build?t=busybox", ""), ("POST /v1.43/build?remote=http://a.example/&networkmode=none", ""),
    ("POST /v1.43/build?networkmode=own", ""), ("POST /v1.43/build?networkmode=host", ""), ("POST /v1.43/build?cgroupparent=jobs.slice", ""),
    ("POST /v1.43/auth", r#"{"serveraddress":"r.example"}"#), ("GET /v1.43/images/search?term=r.example/a", ""),
    ("POST /v1.43/exec/0a/start", r#"{"Detach":true}"#),
    ("POST /v1.43/swarm/init", r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1"}"#), ("POST /v1.43/swarm/init", "{}"),
    ("POST /v1.43/swarm/init", r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1","ForceNewCluster":true}"#),
    ("POST /v1.43/swarm/init", r#"{"DefaultAddrPool":["10.1.0.0/16"],"SubnetSize":24}"#),
    ("POST /v1.43/swarm/join", r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1","RemoteAddrs":["manager:2377"],"JoinToken":"x"}"#),
    ("POST /v1.43/swarm/update?version=1", "{}"),
    ("POST /v1.43/swarm/update?version=1&rotateWorkerToken=true", r#"{"EncryptionConfig":{"AutoLockManagers":true}}"#),
    ("POST /v1.43/swarm/update?version=1", r#"{"EncryptionConfig":{"AutoLockManagers":true},"CAConfig":{"ForceRotate":1}}"#),
    ("POST /v1.43/swarm/update?version=1", r#"{"EncryptionConfig":{"AutoLockManagers":true},"TaskDefaults":{"LogDriver":{"Name":"syslog"}}}"#),
    ("GET /v1.43/swarm", ""), ("GET /v1.43/swarm/unlockkey", ""),
    ("POST /v1.43/nodes/x/update?version=1", r#"{"Role":"manager","Availability":"active"}"#),
    ("POST /v1.43/secrets/create", r#"{"Name":"s","Data":"YQ=="}"#), ("POST /v1.43/secrets/create", r#"{"Name":"s","Driver":{"Name":"vault"}}"#),
    ("POST /v1.43/secrets/create", r#"{"Name":"s","Data":"YQ==","Templating":{"Name":"golang"}}"#),
    ("POST /v1.43/configs/create", r#"{"Name":"s","Data":"YQ==","Templating":{"Name":"golang"}}"#),
    ("POST /v1.42/volumes/create", r#"{"Name":"v","Driver":"rclone","ClusterVolumeSpec":{}}"#),
    ("PUT /v1.42/volumes/x?version=1", r#"{"Spec":{"Availability":"drain"}}"#),
    ("POST /v1.43/plugins/pull?remote=r.example/p:1", "[]"),
    ("POST /v1.43/plugins/pull?remote=r.example/p:1", r#"[{"Name":"network","Value":["host"]}]"#),
    ("POST /v1.43/plugins/pull?remote=r.example/p@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", r#"[{"Name":"network","Value":["host"]}]"#),
    ("POST /v1.43/plugins/r.example/p:1/enable", ""), ("POST /v1.43/plugins/r.example/p:1/set", r#"["DEBUG=1"]"#),
    ("POST /v1.43/plugins/r.example/p:1/set", r#"["data.source=/etc"]"#), ("POST /v1.43/plugins/create?name=r.example/p:1", ""),
    ("POST /v1.43/plugins/r.example/p:1/upgrade?remote=r.example/p:2", "[]"),
    ("POST /v1.47/services/create", r#"{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"busybox"},"Networks":[{"Target":"own"}]}}"#),
    ("POST /v1.47/services/create", r#"{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"busybox","Secrets":[{"SecretName":"shop-a","SecretID":"x"}]},"Networks":[{"Target":"own"}]}}"#),
    ("POST /v1.47/services/create", r#"{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"busybox","Configs":[{"ConfigName":"shop-a","ConfigID":"x"}]},"Networks":[{"Target":"own"}]}}"#),
    ("POST /v1.47/services/create", r#"{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"busybox","Mounts":[{"Type":"volume","Source":"shop-data","Target":"/v"}]},"Networks":[{"Target":"own"}]}}"#),
    ("POST /v1.47/services/create", r#"{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"busybox","CapabilityAdd":["NET_ADMIN"]},"Networks":[{"Target":"own"}]}}"#),
    ("POST /v1.47/services/create", r#"{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"busybox"},"Networks":[{"Target":"own"}],"Resources":{"Reservations":{"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu","Value":1}}]}}}}"#),
];

/// Names that stand in paths.
const NAMES: &[&str] = &[
    "plain",
    "alone",
    "root",
    "bound",
    "writing",
    "joined",
    "behind",
    "linked",
    "linked-apart",
    "inheriting",
    "keeping",
    "apart",
    "gone",
    "mute",
    "busybox",
    "abab",
    "own",
];

pub(super) fn path_of(path: &str, name: &str) -> String {
    let named = |part: &str| {
        if part.starts_with('{') {
            name.to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(named).collect::<Vec<_>>().join("/")
}

fn create(members: &[&str], beside: &str) -> Asked {
    let host_config = members.join(",");
    let body = format!("{{{beside},\"HostConfig\":{{{host_config}}}}}");
    Asked::new("POST /v1.43/containers/create?name=c", &body)
}

fn any_operation(operation: Operation, name: &str) -> Asked {
    let spec = operation.spec();
    let target = format!("/v1.43{}", path_of(spec.path, name));
    let body = if operation == Operation::ContainerExec {
        r#"{"Cmd":["true"]}"#
    } else if operation == Operation::ContainerUpdate {
        r#"{"Memory":67108864}"#
    } else {
        ""
    };
    Asked::new(&format!("{} {target}", spec.method), body)
}

/// Any request.
pub(super) fn request() -> impl Strategy<Value = Asked> {
    let members = prop::sample::subsequence(HOST_CONFIG, 0..=2);
    let create = (members, prop::sample::select(BESIDE))
        .prop_map(|(members, beside)| create(&members, beside));
    let other = prop::sample::select(OTHERS).prop_map(|(line, body)| Asked::new(line, body));
    let all: Vec<Operation> = Operation::all().collect();
    let named = (prop::sample::select(all), prop::sample::select(NAMES))
        .prop_map(|(operation, name)| any_operation(operation, name));
    prop_oneof![4 => create, 3 => other, 3 => named]
}

/// Each of them once.
pub(super) fn each() -> impl Iterator<Item = Asked> {
    let creates = HOST_CONFIG
        .iter()
        .map(|member| create(&[*member], BESIDE[0]));
    let beside = BESIDE.iter().map(|beside| create(&[], beside));
    let others = OTHERS.iter().map(|(line, body)| Asked::new(line, body));
    let operations = Operation::all().flat_map(|operation| {
        let is_named = enters_container(operation) || operation.spec().tag == Tag::Image;
        let names = NAMES.iter().take(if is_named { NAMES.len() } else { 1 });
        names.map(move |name| any_operation(operation, name))
    });
    creates.chain(beside).chain(others).chain(operations)
}

/// Breaks a text at one place.
pub(super) fn broken(text: &mut Vec<u8>, kind: usize, at: usize, which: prop::sample::Index) {
    const PIECES: &[&str] = &[
        "\"\"",
        ":",
        ",",
        "[]",
        "{}",
        "null",
        "\0",
        "\\u0000",
        "é",
        "/",
        "..",
        "%00",
        "&",
        "-1",
        "1e9",
        "\"\":\"\",",
    ];
    let end = text.len().min(at + 1 + which.index(6));
    match kind {
        0 => drop(text.drain(at.min(end)..end)),
        1 => drop(text.splice(at..at, which.get(PIECES).bytes())),
        // The next text that stands in quotes is empty afterwards.
        _ => {
            let quotes: Vec<usize> = (at..text.len()).filter(|at| text[*at] == b'"').collect();
            if let [first, second, ..] = quotes.as_slice() {
                text.drain(first + 1..*second);
            }
        }
    }
}
