//! `system df` in both forms, as an owner sees it.

use super::owners::{alice, pinned, shown};

const OWN: &str = r#""Labels":{"dockgate.owner":"alice"}"#;
const OTHERS: &str = r#""Labels":{"dockgate.owner":"bob"}"#;

/// Containers, images, volumes and cache of two owners.
fn lists() -> [String; 4] {
    [
        format!(
            r#"[{{"Id":"1",{OWN},"ImageID":"i","State":"running","SizeRw":10}},
                {{"Id":"2",{OWN},"ImageID":"i","State":"exited","SizeRw":5}},
                {{"Id":"3",{OTHERS},"ImageID":"j","State":"running","SizeRw":700}},
                {{"Id":"4",{OTHERS},"ImageID":"i","State":"exited","SizeRw":700}}]"#
        ),
        r#"[{"Id":"i","Containers":3,"Size":100,"SharedSize":40},{"Id":"j","Containers":1,"Size":50,"SharedSize":40}]"#
            .to_owned(),
        format!(
            r#"[{{"Name":"own",{OWN},"UsageData":{{"RefCount":0,"Size":7}}}},
                {{"Name":"used",{OWN},"UsageData":{{"RefCount":2,"Size":8}}}},
                {{"Name":"common","Labels":null,"UsageData":{{"RefCount":3,"Size":9}}}},
                {{"Name":"b",{OTHERS},"UsageData":{{"RefCount":1,"Size":900}}}}]"#
        ),
        r#"[{"ID":"c","Size":900,"InUse":true}]"#.to_owned(),
    ]
}

#[test]
fn the_older_sums_are_of_ones_own() {
    let [containers, images, volumes, cache] = lists();
    let answer = format!(
        r#"{{"LayersSize":110,"Images":{images},"Containers":{containers},"Volumes":{volumes},"BuildCache":{cache},
            "BuilderSize":900}}"#
    );
    let told = shown("GET /v1.41/system/df", &answer);
    let ids = |key: &str, id: &str| {
        let items = told.get(key).unwrap().items().iter();
        items
            .map(|item| item.text(id).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("Containers", "Id"), ["1", "2"]);
    assert_eq!(ids("Images", "Id"), ["i", "j"]);
    assert_eq!(ids("Volumes", "Name"), ["own", "used", "common"]);
    let text = told.to_string();
    for part in [
        r#""LayersSize":110"#,
        r#"{"Id":"i","Containers":2,"#,
        r#"{"Id":"j","Containers":0,"#,
        r#""UsageData":{"RefCount":-1,"Size":9}"#,
        r#""UsageData":{"RefCount":2,"Size":8}"#,
        r#""BuildCache":[],"BuilderSize":0"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// The newer form, whose sums are all 99, or 110.
fn newer(has_items: bool) -> String {
    let sums =
        r#""ActiveCount":99,"TotalCount":99,"TotalSize":110,"Reclaimable":99,"OfTheFuture":99"#;
    let keys = [
        "ContainerUsage",
        "ImageUsage",
        "VolumeUsage",
        "BuildCacheUsage",
    ];
    let parts = keys.into_iter().zip(lists()).map(|(key, items)| {
        let items = if has_items {
            format!(r#","Items":{items}"#)
        } else {
            String::new()
        };
        format!(r#""{key}":{{{sums}{items}}}"#)
    });
    format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
}

#[test]
fn the_newer_sums_are_of_ones_own() {
    let expected = |key: &str, [active, total, size, reclaimable]: [i64; 4]| {
        format!(
            r#""{key}":{{"ActiveCount":{active},"TotalCount":{total},"TotalSize":{size},"Reclaimable":{reclaimable}}}"#
        )
    };
    let sums = [
        expected("ContainerUsage", [1, 2, 15, 5]),
        expected("ImageUsage", [1, 2, 110, 50]),
        expected("VolumeUsage", [1, 3, 24, 7]),
        expected("BuildCacheUsage", [0, 0, 0, 0]),
    ];
    let brief = shown("GET /v1.52/system/df?verbose=0", &newer(true));
    assert_eq!(brief.to_string(), format!("{{{}}}", sums.join(",")));
    // The sums of one's own need the list.
    let asked = pinned("GET /v1.52/system/df?verbose=0", "", &alice());
    assert_eq!(asked, "/v1.52/system/df?verbose=1");
    let verbose = shown("GET /v1.52/system/df?verbose=1", &newer(true));
    for (key, count) in [
        ("ContainerUsage", 2),
        ("ImageUsage", 2),
        ("VolumeUsage", 3),
        ("BuildCacheUsage", 0),
    ] {
        assert_eq!(
            verbose
                .get(key)
                .unwrap()
                .get("Items")
                .unwrap()
                .items()
                .len(),
            count,
            "{key}"
        );
    }
    // Where a daemon gives no list, nothing is said.
    let without = shown("GET /v1.52/system/df?verbose=1", &newer(false)).to_string();
    assert!(
        !without.contains("99") && !without.contains("110"),
        "{without}"
    );
}
