//! Binds, mounts and volume options are read as the daemon reads them.

use super::*;

fn volume(name: &str) -> Source {
    Source::Volume {
        name: name.to_owned(),
        driver: String::new(),
        options: Vec::new(),
    }
}

fn host(path: &str) -> Source {
    Source::HostPath(path.to_owned())
}

fn options(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn mount(text: &str) -> Mount {
    Mount::from_mount(&super::super::json::parse(text.as_bytes()).unwrap())
}

#[test]
fn a_bind_is_a_host_path_where_it_begins_with_a_slash() {
    for (bind, source) in [
        ("/a:/b", host("/a")),
        ("//:/b", host("//")),
        ("/a/../b:/c", host("/a/../b")),
        ("/b", volume("")),
        ("name:/b", volume("name")),
        ("na.me_1-2:/b", volume("na.me_1-2")),
    ] {
        assert_eq!(Mount::from_bind(bind).source, source, "{bind}");
    }
    for bind in [
        "",
        ":",
        ":/b",
        "a",
        "a:b",
        "a:b:ro",
        "/a:/b:ro:z",
        "../a:/b",
        "./a:/b",
        "~:/b",
        "a/b:/c",
        "C:\\:/b",
        "\\a:/b",
        "-a:/b",
        "a b:/c",
        "/a:b",
        "a:/b:/c:/d",
    ] {
        assert!(
            matches!(Mount::from_bind(bind).source, Source::Unknown(_)),
            "{bind}"
        );
    }
}

#[test]
fn a_bind_is_read_only_where_its_mode_says_so() {
    for (bind, is_read_only, others) in [
        ("/a:/b", false, vec![]),
        ("/a:/b:ro", true, vec![]),
        ("/a:/b:rw", false, vec![]),
        ("/a:/b:ro,z", true, vec!["z"]),
        ("/a:/b:rshared,ro", true, vec!["rshared"]),
        ("/a:/b:ro,rw", false, vec![]),
        ("/a:/b:RO", false, vec!["RO"]),
        ("/a:/b:", false, vec![]),
    ] {
        let mount = Mount::from_bind(bind);
        assert_eq!(
            (mount.is_read_only, mount.options),
            (
                is_read_only,
                others.into_iter().map(str::to_owned).collect()
            ),
            "{bind}"
        );
    }
}

#[test]
fn a_mount_is_what_its_type_says() {
    assert_eq!(mount(r#"{"Type":"bind","Source":"/a"}"#).source, host("/a"));
    assert_eq!(mount(r#"{"Type":"volume"}"#).source, volume(""));
    assert_eq!(mount(r#"{"Type":"tmpfs"}"#).source, Source::Tmpfs);
    assert_eq!(
        mount(r#"{"Type":"image","Source":"a"}"#).source,
        Source::Image("a".to_owned())
    );
    let driver = r#"{"Type":"volume","Source":"a","VolumeOptions":{"DriverConfig":{"Name":"d","Options":{"o":"bind"}}}}"#;
    let expected = Source::Volume {
        name: "a".to_owned(),
        driver: "d".to_owned(),
        options: options(&[("o", "bind")]),
    };
    assert_eq!(mount(driver).source, expected);
    let propagation =
        r#"{"Type":"bind","Source":"/a","ReadOnly":true,"BindOptions":{"Propagation":"rslave"}}"#;
    assert_eq!(mount(propagation).options, ["rslave"]);
    assert!(mount(propagation).is_read_only);
    for text in [
        r#"{"Type":"bind","Source":"a"}"#,
        r#"{"Type":"bind"}"#,
        r#"{"Type":"BIND","Source":"/a"}"#,
        r#"{"Source":"/a"}"#,
        r#"{"Type":"volume","Source":"/a"}"#,
        r#"{"Type":"tmpfs","Source":"/a"}"#,
        r#"{"Type":"npipe","Source":"/a"}"#,
        r#"{"Type":"cluster","Source":"a"}"#,
        "{}",
        r#"{"Type":null}"#,
    ] {
        assert!(matches!(mount(text).source, Source::Unknown(_)), "{text}");
    }
}

#[test]
fn a_local_volume_is_a_host_path_whatever_its_type_where_it_is_bound() {
    for (kind, o) in [
        ("none", "bind"),
        ("", "rbind"),
        ("tmpfs", "bind"),
        ("nfs", "ro,bind"),
        ("ext4", "bind,rw"),
    ] {
        let read = local_volume(&options(&[("type", kind), ("o", o), ("device", "/a")]));
        assert_eq!(
            read,
            Ok(LocalVolume::HostPath("/a".to_owned())),
            "{kind} {o}"
        );
    }
    for (kind, o, device) in [
        ("none", "bind", "a"),
        ("none", "bind", ""),
        ("none", "bind,remount", "/a"),
        ("none", "bind,rshared", "/a"),
        ("none", "bind,size=1", "/a"),
        ("", "ro", "/a"),
        ("none", "", "/a"),
        ("ext4", "", "/dev/sda"),
        ("proc", "", "proc"),
        ("overlay", "lowerdir=/", "overlay"),
        ("tmpfs", "remount", "tmpfs"),
        ("tmpfs", "shared", "tmpfs"),
        ("tmpfs", "move", "tmpfs"),
        ("TMPFS", "", "tmpfs"),
        ("nfs", "remount", ":/a"),
        ("cifs", "rshared", "//a/b"),
    ] {
        let read = local_volume(&options(&[("type", kind), ("o", o), ("device", device)]));
        assert!(read.is_err(), "{kind} {o} {device}: {read:?}");
    }
    assert!(local_volume(&options(&[("mountpoint", "/")])).is_err());
    assert!(local_volume(&options(&[("Type", "none")])).is_err());
}

#[test]
fn a_local_volume_may_be_plain_or_in_memory() {
    assert_eq!(local_volume(&[]), Ok(LocalVolume::Plain));
    assert_eq!(
        local_volume(&options(&[("size", "1g")])),
        Ok(LocalVolume::Plain)
    );
    let memory = options(&[
        ("type", "tmpfs"),
        ("device", "tmpfs"),
        ("o", "size=1m,uid=1000,noexec"),
    ]);
    assert_eq!(local_volume(&memory), Ok(LocalVolume::Tmpfs));
    let nfs = options(&[
        ("type", "nfs"),
        ("device", ":/a"),
        ("o", "addr=192.0.2.1,rw"),
    ]);
    assert_eq!(
        local_volume(&nfs),
        Ok(LocalVolume::Other {
            kind: "nfs".to_owned()
        })
    );
}

#[test]
fn an_option_of_a_tmpfs_changes_no_other_mount() {
    for word in [
        "size=1m",
        "mode=1777",
        "uid=0",
        "ro",
        "rw",
        "exec",
        "nosuid",
        "noatime",
    ] {
        assert!(is_tmpfs_option(word), "{word}");
    }
    for word in [
        "remount",
        "bind",
        "rbind",
        "shared",
        "rslave",
        "private",
        "unbindable",
        "mand",
        "move",
        "size",
        "remount=1",
        " size=1",
        "",
    ] {
        assert!(!is_tmpfs_option(word), "{word}");
    }
}
