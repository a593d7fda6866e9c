//! Every operation of the Engine API: its method, path, effect, body, and whether it hijacks.

use super::tables::TABLE;

/// An `operationId` of Docker's OpenAPI descriptions 1.41 to 1.56, or one of the few that the daemon serves without
/// describing them (`ContainerCheckpoint…`, `ContainerCopy`, `BuildCancel`, `Grpc`, `Debug`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    ContainerList,
    ContainerCreate,
    ContainerInspect,
    ContainerTop,
    ContainerLogs,
    ContainerChanges,
    ContainerExport,
    ContainerStats,
    ContainerResize,
    ContainerStart,
    ContainerStop,
    ContainerRestart,
    ContainerKill,
    ContainerUpdate,
    ContainerRename,
    ContainerPause,
    ContainerUnpause,
    ContainerAttach,
    ContainerAttachWebsocket,
    ContainerWait,
    ContainerDelete,
    ContainerArchiveInfo,
    ContainerArchive,
    PutContainerArchive,
    ContainerPrune,
    ContainerCheckpointList,
    ContainerCheckpointCreate,
    ContainerCheckpointDelete,
    ContainerCopy,
    ImageList,
    ImageBuild,
    BuildPrune,
    ImageCreate,
    ImageInspect,
    ImageAttestations,
    ImageHistory,
    ImagePush,
    ImageTag,
    ImageDelete,
    ImageSearch,
    ImagePrune,
    ImageCommit,
    ImageGet,
    ImageGetAll,
    ImageLoad,
    BuildCancel,
    SystemAuth,
    SystemInfo,
    SystemVersion,
    SystemPing,
    SystemPingHead,
    SystemEvents,
    SystemDataUsage,
    Debug,
    ContainerExec,
    ExecStart,
    ExecResize,
    ExecInspect,
    VolumeList,
    VolumeCreate,
    VolumeInspect,
    VolumeUpdate,
    VolumeDelete,
    VolumePrune,
    NetworkList,
    NetworkInspect,
    NetworkDelete,
    NetworkCreate,
    NetworkConnect,
    NetworkDisconnect,
    NetworkPrune,
    PluginList,
    GetPluginPrivileges,
    PluginPull,
    PluginInspect,
    PluginDelete,
    PluginEnable,
    PluginDisable,
    PluginUpgrade,
    PluginCreate,
    PluginPush,
    PluginSet,
    NodeList,
    NodeInspect,
    NodeDelete,
    NodeUpdate,
    SwarmInspect,
    SwarmInit,
    SwarmJoin,
    SwarmLeave,
    SwarmUpdate,
    SwarmUnlockkey,
    SwarmUnlock,
    ServiceList,
    ServiceCreate,
    ServiceInspect,
    ServiceDelete,
    ServiceUpdate,
    ServiceLogs,
    TaskList,
    TaskInspect,
    TaskLogs,
    SecretList,
    SecretCreate,
    SecretInspect,
    SecretDelete,
    SecretUpdate,
    ConfigList,
    ConfigCreate,
    ConfigInspect,
    ConfigDelete,
    ConfigUpdate,
    DistributionInspect,
    Session,
    Grpc,
}
/// One row of the table of operations.
#[derive(Debug)]
pub struct Spec {
    pub operation: Operation,
    /// The `operationId`.
    pub name: &'static str,
    pub method: &'static str,
    /// The path without version; `{…}` stands for a name.
    pub path: &'static str,
    pub tag: Tag,
    pub effect: Effect,
    pub body: BodyKind,
    pub hijack: Hijack,
    /// Whether the gate reads all that a request can carry; an operation that is not modelled is never permitted by name.
    pub is_modelled: bool,
    /// What the path begins with after its slash.
    pub(super) letter: u8,
    /// Of the path.
    segments: usize,
    /// Whether the path has a name, which may take several segments.
    is_longer: bool,
}

impl Spec {
    /// Whether a path of so many segments may be this one.
    pub(super) fn has_segments(&self, segments: usize) -> bool {
        segments == self.segments || (self.is_longer && segments > self.segments)
    }
}

/// The group of an operation in Docker's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    Container,
    Image,
    System,
    Exec,
    Volume,
    Network,
    Plugin,
    Node,
    Swarm,
    Service,
    Task,
    Secret,
    Config,
    Distribution,
    Session,
}

/// What an operation does, as policies name it (`Container:read`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Answers at once and changes nothing.
    Read,
    /// Answers for as long as something goes on.
    Stream,
    /// Hands out the files of containers and images.
    Export,
    Create,
    Change,
    Remove,
}

/// What becomes of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// The daemon reads none; what comes is read within the limit and dropped.
    None,
    /// Read whole, judged, written anew.
    Json,
    /// Passed on as it comes (archives).
    Stream,
}

/// Whether the daemon takes the connection over after its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hijack {
    No,
    /// Raw or multiplexed streams after `101 UPGRADED`, or `200` to a client that asked for no upgrade.
    Raw,
    WebSocket,
    /// HTTP/2 without TLS, which the gate does not read.
    H2c,
}

impl Operation {
    /// Every operation, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|spec| spec.operation)
    }

    /// The row of this operation.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        // INVARIANT: the table has one row for each variant, in the order of the variants (tested), so the last
        // resort, a row that no policy permits, is never taken.
        TABLE.get(self as usize).unwrap_or(&REFUSED)
    }

    /// The `operationId`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether the body may hold what is shown nowhere: a password, a token, a key, the data of a secret or config.
    #[must_use]
    pub fn carries_secrets(self) -> bool {
        matches!(
            self,
            Self::SystemAuth
                | Self::SwarmInit
                | Self::SwarmJoin
                | Self::SwarmUpdate
                | Self::SwarmUnlock
                | Self::SecretCreate
                | Self::SecretUpdate
                | Self::ConfigCreate
                | Self::ConfigUpdate
        )
    }

    /// Why no policy can permit it, `None` for an operation that is modelled or that the gate just does not know better.
    #[must_use]
    pub fn unmodelled_because(self) -> Option<&'static str> {
        UNMODELLED
            .iter()
            .find(|(operation, _)| *operation == self && !self.spec().is_modelled)
            .map(|(_, because)| *because)
    }

    /// Whether the answer lasts as long as the client stays, so that a client that leaves ends it.
    ///
    /// The daemon watches these requests for a client that has gone; others it finishes.
    #[must_use]
    pub fn ends_with_client(self) -> bool {
        let spec = self.spec();
        matches!(spec.effect, Effect::Stream | Effect::Export)
            || matches!(
                self,
                Self::ImageBuild
                    | Self::ImageCreate
                    | Self::ImagePush
                    | Self::ImageLoad
                    | Self::PluginPull
                    | Self::PluginPush
                    | Self::PluginUpgrade
            )
    }
}

/// A row of the table; separate so that the table reads as one.
pub(super) const fn row(
    (operation, name): (Operation, &'static str),
    (method, path): (&'static str, &'static str),
    (tag, effect): (Tag, Effect),
    (body, hijack): (BodyKind, Hijack),
    is_modelled: bool,
) -> Spec {
    Spec {
        operation,
        name,
        method,
        path,
        tag,
        effect,
        body,
        hijack,
        is_modelled,
        letter: match path.as_bytes() {
            [_, letter, ..] => *letter,
            _ => b'/',
        },
        segments: count(path, b'/'),
        is_longer: count(path, b'{') > 0,
    }
}

const fn count(text: &str, byte: u8) -> usize {
    let (mut rest, mut count) = (text.as_bytes(), 0);
    while let Some((first, after)) = rest.split_first() {
        if *first == byte {
            count += 1;
        }
        rest = after;
    }
    count
}
/// What is never modelled, and why.
const UNMODELLED: &[(Operation, &str)] = &[
    // moby: api/server/router/container/container.go up to 25, and there below API 1.24 alone.
    (
        Operation::ContainerCopy,
        "engines since 26 do not have it, and older ones only below API 1.24; `docker cp` uses ContainerArchive",
    ),
    (
        Operation::Session,
        "it is a tunnel of BuildKit's that the gate cannot read; the classic builder (DOCKER_BUILDKIT=0) does without",
    ),
    (
        Operation::Grpc,
        "it is a tunnel of BuildKit's that the gate cannot read; the classic builder (DOCKER_BUILDKIT=0) does without",
    ),
    (
        Operation::Debug,
        "it shows the memory of the daemon, with whatever is secret in it; ask the daemon itself",
    ),
];

static REFUSED: Spec = row(
    (Operation::Debug, "Debug"),
    ("GET", "/debug/{path}"),
    (Tag::System, Effect::Read),
    (BodyKind::None, Hijack::No),
    false,
);
