//! The limits that values are held against.

/// Which limit of a policy a value is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    Privileged,
    Capabilities,
    /// `HostConfig.Binds`: `SOURCE:TARGET[:OPTIONS]` each.
    Binds,
    /// `HostConfig.Mounts`.
    Mounts,
    NetworkMode,
    PidMode,
    IpcMode,
    UtsMode,
    UsernsMode,
    CgroupnsMode,
    Devices,
    DeviceRequests,
    DeviceCgroupRules,
    SecurityOptions,
    Sysctls,
    Runtime,
    CgroupParent,
    OomScore,
    OomKillDisable,
    Annotations,
    LogConfig,
    /// `MaskedPaths` and `ReadonlyPaths`: anything but `null` weakens the default.
    MaskedPaths,
    PortBindings,
    PublishAllPorts,
    Isolation,
    StorageOptions,
    /// A reference to an image that is run, pulled, pushed or tagged.
    Image,
    /// The name of a network that is joined.
    Network,
    /// `NetworkingConfig.EndpointsConfig`: its keys are names of networks.
    EndpointsConfig,
    /// `EndpointSettings.DriverOpts`.
    EndpointOptions,
    VolumeDriver,
    /// The whole body of `VolumeCreate`, since the driver says what its options mean.
    VolumeOptions,
    NetworkDriver,
    NetworkOptions,
    IpamDriver,
    BuildRemote,
    BuildNetworkMode,
    BuildVersion,
    /// `cachefrom` of a build: references to images whose layers it may take.
    CacheSources,
    ImportSource,
    /// `HostConfig.Links`: `CONTAINER[:ALIAS]` each.
    Links,
    /// `HostConfig.VolumesFrom`: `CONTAINER[:MODE]` each.
    VolumesFrom,
    /// Labels, one of which is the gate's own.
    Labels,
    /// A subnet that the host routes to the new network from then on, whoever had it before.
    Subnet,
    /// The scope of a new network: `local`, or beyond this host.
    NetworkScope,
    /// A registry that the daemon connects to: `serveraddress` of `SystemAuth`, or what stands before the first `/`
    /// of a search term.
    Registry,
    /// `HostConfig.Tmpfs`: mount options for each path in the container.
    Tmpfs,
    /// A reference to a plugin in a registry, or a name that one gets here.
    Plugin,
    /// The name of a checkpoint, a directory beneath its container's own.
    Checkpoint,
    /// The specification of a volume of the swarm, which a plugin on its nodes mounts.
    ClusterVolume,
    /// Arguments of `ps`, which runs on the host: a `=` renames a column, and the daemon tells the container's
    /// processes by the column that is headed `PID` (moby: daemon/top_unix.go).
    PsArguments,
    /// `ListenAddr`, `AdvertiseAddr`, `DataPathAddr` and `DataPathPort` of a swarm, judged together.
    SwarmAddress,
    /// `RemoteAddrs`: the managers of the swarm that is joined.
    SwarmRemotes,
    /// `DefaultAddrPool`: where the subnets of the swarm's networks lie.
    AddressPool,
    ForceNewCluster,
    /// What signs the certificates of a swarm's nodes.
    CertificateAuthority,
    /// `EncryptionConfig.AutoLockManagers`: whether the keys of managers lie readable on their disks.
    AutoLock,
    /// The tokens and the key of a swarm: changed.
    SwarmTokens,
    NodeRole,
    /// The log driver of a swarm's tasks: `Name` and `Options`.
    LogDriver,
    SecretDriver,
    SecretTemplating,
    ConfigTemplating,
    /// The networks of a service or its tasks, each by its `Target`: a name, an id, or the beginning of that.
    ServiceNetworks,
    /// `EndpointSpec.Ports` of a service.
    ServicePorts,
    /// `ContainerSpec.Mounts`: as `HostConfig.Mounts`, on whichever nodes run the tasks, and with templates.
    ServiceMounts,
    /// Labels of a service's tasks, which are security options of their containers.
    SelinuxContext,
    SeccompMode,
    AppArmorMode,
    ServiceSecrets,
    ServiceConfigs,
    /// What the nodes of a swarm offer beyond processors and memory, by its kind.
    GenericResources,
    /// What the daemon runs in the container from time to time.
    Healthcheck,
    /// `Ulimits`: a `Name` each, of which the daemon makes `RLIMIT_NAME`.
    Ulimits,
    /// The same of a build, as JSON that the daemon decodes.
    BuildUlimits,
    /// `CpuRealtimePeriod` and `CpuRealtimeRuntime`: time of the processors before all others.
    CpuRealtime,
    /// `TaskTemplate.Runtime`: what the tasks of a service are.
    TaskRuntime,
    /// `rollback` of `ServiceUpdate`: an older spec of the service in place of the one in the body.
    ServiceRollback,
}
