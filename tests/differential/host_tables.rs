//! Bodies of containers that reach the host, one another and networks, to be changed: for each field what it may hold.

use serde_json::Value;

use super::loose::Loose;
use super::tables::{self, Table};
use crate::support::random::Random;

/// What a body names: a container, and two networks.
#[derive(Debug)]
pub(super) struct Named<'a> {
    /// By its name, its id and the beginning of that.
    pub(super) peer: [&'a str; 3],
    /// Each by its name and its id.
    pub(super) networks: [(&'a str, &'a str); 2],
}

#[rustfmt::skip]
const MOUNTED: Table = &[
    ("Binds", &[r#"["/srv:/h"]"#, r#"["/srv:/h:ro"]"#, r#"["/srv/a:/h:rw","/opt:/o"]"#, r#"["/srv:/h:ro,rprivate"]"#, "[]", "null",
        r#"["/srv:/h","data:/d"]"#, r#"["/srv:/h:z"]"#, r#"["/srv/../srv:/h"]"#, r#"["/srv:/h:rslave"]"#, r#"["data:/d:nocopy"]"#,
        r#"["/srv//a:/h"]"#, r#"["/srv/:/h"]"#, r#"["/srv:/h:RO"]"#, r#"["/srv:/h:"]"#, r#"["/srv"]"#, r#"["srv:h"]"#, r#"[":/h"]"#]),
    ("Mounts", &[r#"[{"Type":"bind","Source":"/srv","Target":"/b"}]"#, r#"[{"Type":"bind","Source":"/srv","Target":"/b","ReadOnly":true}]"#,
        r#"[{"Type":"bind","Source":"/opt","Target":"/b","BindOptions":{"Propagation":"rprivate","NonRecursive":true}}]"#,
        r#"[{"Type":"volume","Source":"data","Target":"/c","VolumeOptions":{"NoCopy":true,"Labels":{"a":"b"}}}]"#,
        r#"[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":4096,"Mode":1023}}]"#,
        r#"[{"Type":"volume","Target":"/c"},{"Type":"bind","Source":"/srv","Target":"/b","BindOptions":null}]"#,
        r#"[{"Type":"bind","Source":"/srv","Target":"/b","BindOptions":{"Propagation":""}}]"#,
        r#"[{"Type":"volume","Source":"data","Target":"/c","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"type":"tmpfs","device":"tmpfs"}}}}]"#]),
    ("Tmpfs", &[r#"{"/t":""}"#, r#"{"/t":"size=1m,noexec"}"#, r#"{"/t":"rw","/u":null}"#, "{}", "null"]),
    ("VolumeDriver", &["\"local\"", "\"\"", "null"]),
    ("StorageOpt", &["{}", "null", r#"{"size":"1G"}"#]),
];

#[rustfmt::skip]
const DEVICES: Table = &[
    ("Devices", &[r#"[{"PathOnHost":"/dev/null","PathInContainer":"/dev/x","CgroupPermissions":"rwm"}]"#, r#"[{"PathOnHost":"/dev/zero"}]"#,
        r#"[{"PathOnHost":"/dev/null","PathInContainer":"/dev/null","CgroupPermissions":"r"},{"PathOnHost":"/dev/zero"}]"#, "[]", "null", r#"[{}]"#]),
    ("DeviceCgroupRules", &[r#"["c 1:3 rwm"]"#, "[]", "null", r#"["c 1:3 rwm","c 1:5 r"]"#]),
    ("DeviceRequests", &[r#"[{"Driver":"","Count":-1,"Capabilities":[["gpu"]]}]"#, "[]", "null",
        r#"[{"Driver":"x","DeviceIDs":["0","1"],"Capabilities":[["a","b"],["c"]],"Options":{"k":"v"}}]"#, r#"[{"Count":2,"DeviceIDs":null}]"#]),
    ("Ulimits", &[r#"[{"Name":"nofile","Soft":64,"Hard":128}]"#, r#"[{"Name":"core","Hard":0,"Soft":0}]"#, "[]", "null",
        r#"[{"Name":"nproc","Soft":-1,"Hard":-1}]"#]),
    ("Runtime", &["\"runc\"", "\"\"", "null", "\"unheard\""]),
    ("Annotations", &["{}", "null", r#"{"a":"b"}"#]),
    ("CgroupParent", &["\"/own\"", "\"\"", "null", "\"own.slice\""]),
    ("ShmSize", &["0", "1048576", "null"]),
    ("Init", &["true", "false", "null"]),
    ("GroupAdd", &[r#"["7","audio"]"#, "[]", "null"]),
    ("OomKillDisable", &["true", "false", "null"]),
];

#[rustfmt::skip]
const NAMESPACES: Table = &[
    ("IpcMode", &["\"host\"", "\"private\"", "\"shareable\"", "\"none\"", "\"\"", "null", "\"container:PEER\"", "\"container:PEER-ID\""]),
    ("PidMode", &["\"host\"", "\"\"", "\"container:PEER\"", "\"container:PEER-SHORT\""]),
    ("UsernsMode", &["\"host\"", "\"\"", "null"]),
    ("UTSMode", &["\"host\"", "\"\"", "null"]),
    ("CgroupnsMode", &["\"host\"", "\"private\"", "\"\"", "null"]),
    ("NetworkMode", &["\"NET\"", "\"bridge\"", "\"none\"", "\"host\"", "\"default\"", "\"container:PEER\"", "\"\""]),
    ("VolumesFrom", &[r#"["PEER"]"#, r#"["PEER:ro"]"#, r#"["PEER-SHORT:rw"]"#, "[]", "null", r#"["PEER-ID"]"#, r#"["/PEER"]"#]),
    ("Links", &[r#"["PEER:db"]"#, r#"["PEER"]"#, r#"["/PEER:/own/db"]"#, r#"["PEER-ID:x"]"#, "[]", "null", r#"["PEER-SHORT"]"#]),
    ("PublishAllPorts", &["true", "false", "null"]),
    ("PortBindings", &[r#"{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}]}"#, r#"{"80":[{}]}"#, r#"{"53/udp":[{"HostPort":"5300-5301"}]}"#, "{}"]),
    ("Dns", &[r#"["1.1.1.1"]"#, "[]", "null"]),
];

#[rustfmt::skip]
const ENDPOINTS: &[&str] = &[
    r#"{"EndpointsConfig":{"NET":{}}}"#, r#"{"EndpointsConfig":{"NET":{"Aliases":["a","b"]}}}"#,
    r#"{"EndpointsConfig":{"bridge":{"MacAddress":"02:42:0a:d5:4d:09"}}}"#, r#"{"EndpointsConfig":{}}"#, "{}", "null",
    r#"{"EndpointsConfig":{"NET":{"IPAMConfig":{"IPv4Address":"10.213.79.9"},"Links":["PEER:x"]}}}"#,
    r#"{"EndpointsConfig":{"NET":{"NetworkID":"OTHER"}}}"#, r#"{"EndpointsConfig":{"OTHER":{"DriverOpts":{}}}}"#,
    r#"{"EndpointsConfig":null}"#, r#"{"EndpointsConfig":{"NET":{"NetworkID":"","Gateway":"10.213.79.1"}}}"#,
];

/// A container with some fields of one of the tables, or of two, and now and then settings of its networks.
pub(super) fn container(random: &mut Random, named: &Named<'_>) -> Loose {
    let mut host_config = Loose::Object(Vec::new());
    for _ in 0..=random.below(2) {
        let table = [MOUNTED, DEVICES, NAMESPACES][random.below(3)];
        for _ in 0..=random.below(2) {
            let (key, values) = table[random.below(table.len())];
            let value = Loose::read_or_raw(&named.put_into(random.pick(values)));
            host_config = tables::with_one(host_config, key, value);
        }
    }
    let image = tables::with(
        Loose::Object(Vec::new()),
        "Image",
        Loose::raw("\"busybox\""),
    );
    let body = tables::with(image, "HostConfig", host_config);
    if random.one_in(3) {
        let endpoints = Loose::read_or_raw(&named.put_into(random.pick(ENDPOINTS)));
        return tables::with(body, "NetworkingConfig", endpoints);
    }
    body
}

impl Named<'_> {
    fn put_into(&self, text: &str) -> String {
        let ([name, id, short], [(network, _), (other, _)]) = (self.peer, self.networks);
        let text = text.replace("PEER-ID", id).replace("PEER-SHORT", short);
        let text = text.replace("PEER", name).replace("OTHER", other);
        text.replace("NET", network)
    }

    /// The same by whichever name the container and the networks stand there: the gate puts ids for names.
    pub(super) fn put_alike(&self, found: &Value) -> Value {
        let [name, id, short] = self.peer;
        let text = found.to_string().replace(id, "PEER").replace(short, "PEER");
        let text = text.replace(name, "PEER");
        // A name may be written with a slash.
        let volumes = r#""VolumesFrom":["#;
        let text = text.replace(&format!("{volumes}\"/PEER"), &format!("{volumes}\"PEER"));
        let mut text = text.replace("PEER", id);
        for (name, id) in self.networks {
            text = text.replace(id, name);
        }
        crate::support::json(text)
    }
}
