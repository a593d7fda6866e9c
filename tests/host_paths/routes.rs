//! By which routes a path reaches what is not opened, or what no policy opens.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

#[test]
fn a_path_is_judged_and_mounted_where_it_leads() {
    let place = Place::new();
    symlink("/", place.path("rw/root")).unwrap();
    symlink("inner", place.path("rw/in")).unwrap();
    symlink(place.path("closed"), place.path("rw/closed")).unwrap();
    let (rw, inner) = (place.path("rw"), place.path("rw/inner"));
    for (source, leads_to) in [
        (format!("{rw}/in"), &inner),
        (format!("{rw}/inner/"), &inner),
        (format!("{rw}//inner///."), &inner),
        (format!("{rw}/inner/../inner"), &inner),
        (format!("{rw}/in/../inner"), &inner),
        (format!("{rw}/root{rw}"), &rw),
        (format!("/proc/self/root{inner}"), &inner),
        (format!("/proc/1/cwd/..{inner}"), &inner),
        (format!("{rw}/closed/../rw"), &rw),
    ] {
        for host_config in [bind(&source), mount(&source)] {
            let answer = place.create(&host_config);
            // Another process's root and directory may be beyond the tests' rights.
            if source.starts_with("/proc/1/") && answer.status == 403 {
                continue;
            }
            assert_eq!(
                place.made(&answer)["Mounts"][0]["Source"],
                **leads_to,
                "{source}"
            );
        }
    }
}

#[test]
fn a_path_that_leads_out_is_refused_by_every_spelling() {
    let place = Place::new();
    symlink("/", place.path("rw/root")).unwrap();
    symlink("..", place.path("rw/up")).unwrap();
    symlink("inner", place.path("rw/in")).unwrap();
    symlink(place.path("closed"), place.path("rw/closed")).unwrap();
    symlink("loop", place.path("rw/loop")).unwrap();
    let rw = place.path("rw");
    let upper = rw.replace("paths", "PATHS");
    for (source, code) in [
        (format!("{rw}/root"), "protected-path"),
        (format!("{rw}/root/etc"), "host-path"),
        (format!("{rw}/up"), "host-path"),
        (format!("{rw}/.."), "host-path"),
        (format!("{rw}/../closed"), "host-path"),
        (format!("{rw}/inner/../../closed"), "host-path"),
        (format!("{rw}/in/../../closed"), "host-path"),
        (format!("{rw}/closed"), "host-path"),
        (format!("{rw}/loop"), "host-path-unresolved"),
        (format!("{rw}-other"), "host-path-unresolved"),
        (upper, "host-path-unresolved"),
        ("/proc/self/root".to_owned(), "protected-path"),
        ("/proc/self/fd".to_owned(), "protected-path"),
        ("//proc/".to_owned(), "protected-path"),
        ("/sys/fs".to_owned(), "protected-path"),
        ("/dev/shm/".to_owned(), "protected-path"),
        ("/run".to_owned(), "protected-path"),
        ("/var/run".to_owned(), "protected-path"),
        ("/var".to_owned(), "protected-path"),
    ] {
        for host_config in [bind(&source), mount(&source)] {
            let answer = place.create(&host_config);
            assert_eq!(answer.status, 403, "{source}: {}", answer.text());
            let message = answer.message();
            assert!(
                message.contains(&format!(" {code}: `")),
                "{source}: {message}"
            );
        }
    }
}

#[test]
fn a_path_that_is_opened_by_a_link_is_opened_where_it_leads() {
    let place =
        Place::with("{ path = \"FOLDERlink\", subpaths = true }, { path = \"FOLDERrw/later\" }");
    place.refused(
        &place.create(&bind(place.path("link/inner"))),
        "host-path-unresolved",
    );
    // Only now is it there.
    symlink(place.path("closed"), place.path("link")).unwrap();
    for name in ["link", "closed"] {
        let made = place.made(&place.create(&bind(place.path(name))));
        assert_eq!(
            made["HostConfig"]["Binds"][0],
            format!("{}:/m:ro", place.path("closed"))
        );
    }
    fs::remove_file(place.path("link")).unwrap();
    place.refused(&place.create(&bind(place.path("closed"))), "host-path");
    // Whoever may write in an opened directory opens no other one by a link in it.
    symlink(place.path("closed"), place.path("rw/later")).unwrap();
    place.refused(&place.create(&bind(place.path("rw/later"))), "host-path");
    place.refused(&place.create(&bind(place.path("closed"))), "host-path");
}

#[test]
fn a_link_that_is_put_in_after_the_create_is_seen_at_the_start() {
    let place = Place::new();
    let answer = place.create(&bind(place.path("rw/inner")));
    let made = place.made(&answer);
    fs::rename(place.path("rw/inner"), place.path("rw/away")).unwrap();
    symlink(place.path("closed"), place.path("rw/inner")).unwrap();
    let start = format!("/v1.41/containers/{}/start", made["Id"].as_str().unwrap());
    place.refused(
        &http::request(place.gate.address(), "POST", &start, ""),
        "host-path",
    );
    assert_eq!(place.made(&answer)["State"]["Status"], "created");
}

#[test]
fn the_sockets_of_daemon_and_gate_are_known_by_every_name() {
    let mut place = Place::new();
    let engine = engine::address();
    let daemon = engine.unix_path();
    let gate = place.gate.address().unix_path().to_owned();
    let admin = place.admin.path().join("admin.sock");
    for (index, socket) in [daemon, &gate, &admin].into_iter().enumerate() {
        let (link, hard) = (
            place.path(&format!("rw/link{index}")),
            place.path(&format!("rw/hard{index}")),
        );
        symlink(socket, &link).unwrap();
        let mut sources = vec![link];
        // Not on every machine do both lie on one file system.
        if fs::hard_link(socket, &hard).is_ok() {
            sources.push(hard);
        }
        let bound = format!("rw/bound{index}");
        fs::write(place.path(&bound), "").unwrap();
        place.mount(&["--bind", socket.to_str().unwrap()], &bound);
        sources.push(place.path(&bound));
        sources.push(place.path("rw"));
        for source in sources {
            for host_config in [bind(&source), mount(&source)] {
                place.refused(&place.create(&host_config), "protected-path");
            }
        }
        let unmounted = place.mounted.pop().unwrap();
        let mut umount = Command::new("umount");
        // A process that looks at every mount may have it open for a moment.
        process::run(umount.arg("-l").arg(unmounted), Vec::new(), DEADLINE).ok("umount");
    }
}

#[test]
fn a_socket_is_mounted_where_it_is_named_itself() {
    let place = Place::with("{ path = \"FOLDERrw/named.sock\", subpaths = true }");
    let _other = UnixListener::bind(place.path("rw/other.sock")).unwrap();
    let _named = UnixListener::bind(place.path("rw/named.sock")).unwrap();
    place.refused(
        &place.create(&bind(place.path("rw/other.sock"))),
        "host-path-socket",
    );
    place.made(&place.create(&bind(place.path("rw/named.sock"))));
    place.made(&place.create(&bind(place.path("rw"))));
}

#[test]
fn the_daemons_data_and_the_kernels_files_are_reached_by_no_other_mount() {
    let mut place = Place::new();
    let info = json(http::request(&engine::address(), "GET", "/info", "").body);
    let data_root = info["DockerRootDir"].as_str().unwrap().to_owned();
    assert_ne!(data_root, "/var/lib/docker");
    let volumes = format!("{data_root}/volumes");
    let above = Path::new(&data_root)
        .parent()
        .unwrap()
        .display()
        .to_string();
    for (what, source) in [
        ("-", "proc"),
        ("--bind", &*data_root),
        ("--bind", &volumes),
        ("--bind", &above),
    ] {
        fs::create_dir_all(place.path("rw/bound/by")).unwrap();
        let arguments = if what == "-" {
            vec!["-t", source, source]
        } else {
            vec![what, source]
        };
        place.mount(&arguments, "rw/bound/by");
        for name in ["rw/bound/by", "rw/bound", "rw"] {
            place.refused(&place.create(&bind(place.path(name))), "protected-path");
        }
        let unmounted = place.mounted.pop().unwrap();
        let mut umount = Command::new("umount");
        // A process that looks at every mount may have it open for a moment.
        process::run(umount.arg("-l").arg(unmounted), Vec::new(), DEADLINE).ok("umount");
    }
    place.made(&place.create(&bind(place.path("rw/bound"))));
    for source in [
        data_root,
        volumes,
        above.clone(),
        format!("{above}/exec/containerd"),
    ] {
        let opened = format!("{{ path = {source:?} }}");
        let place = Place::with(&opened);
        place.refused(&place.create(&bind(&source)), "protected-path");
    }
}
