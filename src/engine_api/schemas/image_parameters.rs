//! The query parameters of operations on images and builds.

use super::super::operation::Operation;
use super::super::schema::ParameterKind::{Bool, Filters, Integer, Text, Texts};
use super::super::schema::{Class, Limit, Parameter, Refused, Schema, Shape};
use super::host_config::ULIMIT;
use super::{barred, harmless, json, judged, read};

#[rustfmt::skip]
/// moby: daemon/server/router/image, daemon/server/router/build; `postCommit` in daemon/server/router/container.
///
/// A `tag` belongs to the reference beside it (`fromImage`, `repo`, the name in the path), which is judged with it.
/// A `platform` is JSON where the handler decodes an OCI platform, and text like `linux/amd64` where it parses one.
pub(super) const ROWS: &[(Operation, &[Parameter])] = &[
    (Operation::ImageList, &[
        read("all", Bool),
        read("filter", Text),
        read("filters", Filters),
        read("identity", Bool),
        read("manifests", Bool),
        read("shared-size", Bool),
    ]),
    (Operation::ImageBuild, BUILD),
    (Operation::BuildPrune, &[
        read("all", Bool),
        read("filters", Filters),
        read("keep-storage", Integer),
        read("max-used-space", Integer),
        read("min-free-space", Integer),
        read("reserved-space", Integer),
    ]),
    (Operation::ImageCreate, &[
        read("changes", Texts),
        judged("fromImage", Text, Limit::Image),
        judged("fromSrc", Text, Limit::ImportSource),
        read("message", Text),
        read("platform", Text),
        judged("repo", Text, Limit::Image),
        read("tag", Text),
    ]),
    (Operation::ImageInspect, &[
        read("manifests", Bool),
        json("platform", PLATFORM, Class::Harmless),
    ]),
    (Operation::ImageAttestations, &[
        read("platform", Texts),
        read("statement", Bool),
        read("type", Texts),
    ]),
    (Operation::ImageHistory, &[json("platform", PLATFORM, Class::Harmless)]),
    (Operation::ImagePush, &[
        json("platform", PLATFORM, Class::Harmless),
        read("tag", Text),
    ]),
    (Operation::ImageTag, &[
        judged("repo", Text, Limit::Image),
        read("tag", Text),
    ]),
    (Operation::ImageDelete, &[
        read("force", Bool),
        read("noprune", Bool),
        read("platforms", Texts),
    ]),
    (Operation::ImageSearch, &[
        read("filters", Filters),
        read("limit", Integer),
        judged("term", Text, Limit::Registry),
    ]),
    (Operation::ImagePrune, &[read("filters", Filters)]),
    (Operation::ImageCommit, &[
        read("author", Text),
        // Instructions of a Dockerfile that change the new image's configuration only (daemon/commit.go).
        read("changes", Texts),
        read("comment", Text),
        // A reference to a container, resolved and judged like one in a path.
        read("container", Text),
        read("pause", Bool),
        judged("repo", Text, Limit::Image),
        read("tag", Text),
    ]),
    (Operation::ImageGet, &[read("platform", Texts)]),
    (Operation::ImageGetAll, &[
        read("names", Texts),
        read("platform", Texts),
    ]),
    (Operation::ImageLoad, &[
        read("platform", Texts),
        read("quiet", Bool),
    ]),
    (Operation::BuildCancel, &[read("id", Text)]),
];

#[rustfmt::skip]
/// moby: daemon/server/router/build/build_routes.go, `newImageBuildOptions`.
///
/// `session`, `buildid` and `outputs` are read by the BuildKit builder alone, which `version` chooses, and not even then
/// permitted. The classic builder takes `cachefrom` for names of images that it has already.
const BUILD: &[Parameter] = &[
    json("buildargs", Shape::TextMap, Class::Harmless),
    barred("buildid", Text, Refused::BuildKit),
    json("cachefrom", Shape::TextList, Class::Limited(Limit::CacheSources)),
    judged("cgroupparent", Text, Limit::CgroupParent),
    read("cpuperiod", Integer),
    read("cpuquota", Integer),
    read("cpusetcpus", Text),
    read("cpusetmems", Text),
    read("cpushares", Integer),
    read("dockerfile", Text),
    read("extrahosts", Texts),
    read("forcerm", Bool),
    judged("isolation", Text, Limit::Isolation),
    json("labels", Shape::TextMap, Class::Limited(Limit::Labels)),
    read("memory", Integer),
    read("memswap", Integer),
    judged("networkmode", Text, Limit::BuildNetworkMode),
    read("nocache", Bool),
    json("outputs", OUTPUTS, Class::Refused(Refused::BuildKit)),
    read("platform", Text),
    read("pull", Bool),
    read("q", Bool),
    judged("remote", Text, Limit::BuildRemote),
    read("rm", Bool),
    // Windows only; a daemon on Linux refuses it since 1.13.
    judged("securityopt", Texts, Limit::SecurityOptions),
    barred("session", Text, Refused::BuildKit),
    read("shmsize", Integer),
    read("squash", Bool),
    judged("t", Texts, Limit::Image),
    read("target", Text),
    json("ulimits", Shape::List(&Shape::Object(ULIMIT)), Class::Limited(Limit::BuildUlimits)),
    judged("version", Text, Limit::BuildVersion),
];

/// github.com/opencontainers/image-spec/specs-go/v1, `Platform`.
const PLATFORM: Shape = Shape::Object(&Schema {
    parts: &[&[
        harmless("architecture", Shape::Text),
        harmless("os", Shape::Text),
        harmless("os.version", Shape::Text),
        harmless("os.features", Shape::TextList),
        harmless("variant", Shape::Text),
    ]],
});

/// moby: daemon/server/buildbackend, `BuildOutput`.
const OUTPUTS: Shape = Shape::List(&Shape::Object(&Schema {
    parts: &[&[
        harmless("Type", Shape::Text),
        harmless("Attrs", Shape::TextMap),
    ]],
}));
