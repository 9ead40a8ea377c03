//! The catalogue of diagnostics: each code is stable, and its comment says why it exists.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A diagnostic's code, as printed in brackets.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the stages.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as printed: kebab-case, stable.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Why the code exists.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc, "\n"),+)),+ }
            }
        }
    };
}

codes! {
    /// The text is not YAML or TOML.
    Syntax = "syntax",
    /// There is no document.
    Empty = "empty",
    /// One file is one spec; a second document would be lost.
    Documents = "documents",
    /// Readers differ on which of two equal keys wins.
    DuplicateKey = "duplicate-key",
    /// Anchors, aliases, tags and merge keys are refused: a spec says everything where it stands.
    YamlFeature = "yaml-feature",
    /// `010` is eight to YAML 1.1 and ten to YAML 1.2.
    LeadingZero = "leading-zero",
    /// The number does not fit 64 bits.
    NumberRange = "number-range",
    /// Nesting beyond any spec.
    TooDeep = "too-deep",
    /// A document beyond any spec.
    TooLarge = "too-large",
    /// A character that no target can carry: NUL, or one that berthc keeps for itself.
    CharacterForbidden = "character-forbidden",
    /// A spec that cannot be read, or that changed while it was compiled.
    SpecUnread = "spec-unread",
    /// A `base` that cannot be read.
    BaseMissing = "base-missing",
    /// A file that is its own base, straight or by way of others.
    BaseCycle = "base-cycle",
    /// An override that says no path and value, or changes what cannot be overridden.
    SetShape = "set-shape",
    /// An override that meets no spec, or does not say which.
    SetNowhere = "set-nowhere",
    /// A key that is not part of the language; a misspelt rule must not vanish.
    UnknownKey = "unknown-key",
    /// Another kind of value stands here; numbers and truth values are never taken for text.
    WrongType = "wrong-type",
    /// The value is none of those that may stand here.
    BadValue = "bad-value",
    /// A field without which nothing can be made.
    Missing = "missing",
    /// A name that some orchestrator would refuse.
    BadName = "bad-name",
    /// Not an image reference.
    BadImage = "bad-image",
    /// A path must be absolute, in its shortest form, of plain characters.
    BadPath = "bad-path",
    /// Ports are 1 to 65535.
    BadPort = "bad-port",
    /// Durations are whole seconds: `30s`, `2m`, `1m30s`.
    BadDuration = "bad-duration",
    /// Quantities are those of Kubernetes: `500m`, `8Gi`.
    BadQuantity = "bad-quantity",
    /// Not a label that Kubernetes, fleet and Swarm all take.
    BadLabel = "bad-label",
    /// Users are numbers: names mean different users in different images.
    BadUser = "bad-user",
    /// Neither an IP address nor a DNS name.
    BadAddress = "bad-address",
    /// File modes are three or four octal digits in quotes, and the user can read the file.
    BadMode = "bad-mode",
    /// Not a signal that docker and Kubernetes know.
    BadSignal = "bad-signal",
    /// An expression that cannot be read or that fails.
    ValueSyntax = "value-syntax",
    /// An expression outside the closed language of values.
    ValueForbidden = "value-forbidden",
    /// An expression names what does not exist.
    ValueName = "value-name",
    /// A value beyond any use.
    ValueTooLong = "value-too-long",
    /// `member.id`, `member.name` on a `per: node` service, or a field that members do not have.
    MemberField = "member-field",
    /// The value computes with what is known only when the container runs.
    RuntimeArithmetic = "runtime-arithmetic",
    /// A run-time part stands where the orchestrator expands nothing.
    RuntimeNotHere = "runtime-not-here",
    /// `secret('x')` without `secrets.x`.
    SecretUnknown = "secret-unknown",
    /// A reference that is not NAME/KEY.
    SecretRef = "secret-ref",
    /// A port is named that `exclusive.ports` does not have.
    PortUnknown = "port-unknown",
    /// `peers('x')` where no spec of this compile is service x.
    PeerUnknown = "peer-unknown",
    /// The peer is not compiled for this target, so it has no address there.
    PeerNotOnTarget = "peer-not-on-target",
    /// A container on the node's network cannot resolve names of an overlay network.
    PeerOnOtherNetwork = "peer-on-other-network",
    /// Nothing says where a member can be reached on this target.
    AddressUnknown = "address-unknown",
    /// Members are either one per node or counted.
    MembersShape = "members-shape",
    /// Members that float, data that stays on a node: the member starts elsewhere on nothing.
    MemberMoves = "member-moves",
    /// A node-bound member with a movable volume has two identities.
    NodeVolume = "node-volume",
    /// No target can supply a number to a `per: node` member.
    IdPerNode = "id-per-node",
    /// Two members would name one directory as soon as a label is wrong.
    HostWithoutId = "host-without-id",
    /// A counted service has one generation: its members stay, edit the spec.
    RevisionCounted = "revision-counted",
    /// A changed fleet global unit restarts every machine at once, so it needs a revision.
    RevisionMissing = "revision-missing",
    /// Two revisions of one service disagree on what they share.
    RevisionsDiffer = "revisions-differ",
    /// Two specs are one service (and one revision).
    ServiceTwice = "service-twice",
    /// The table of addresses and the members do not agree.
    PinTable = "pin-table",
    /// This target cannot hold these members to nodes.
    PinNotHere = "pin-not-here",
    /// Data is on the node or on the network, one of both.
    DataShape = "data-shape",
    /// Two things are mounted at one path, or one inside another by accident.
    MountTwice = "mount-twice",
    /// Two directories of one service are one directory, or one inside the other.
    HostTwice = "host-twice",
    /// Two ports of one member are one port.
    PortTwice = "port-twice",
    /// On the node's network the hostname is the node's.
    HostnameOnNodeNetwork = "hostname-on-node-network",
    /// The lock is taken before the command, so the command must be known and data must exist.
    GuardShape = "guard-shape",
    /// A service of one writer without data must be held to a node on fleet and Swarm.
    WriterFloats = "writer-floats",
    /// Not a backend of the table.
    VolumeUnknown = "volume-unknown",
    /// The orchestrator dropped this backend.
    VolumeGone = "volume-gone",
    /// No docker volume plugin serves this backend.
    VolumeNoPlugin = "volume-no-plugin",
    /// With two cluster volumes Swarm starts a task that has neither attached.
    ClusterVolumes = "cluster-volumes",
    /// A StorageClass of this backend needs what only the cluster's owner knows.
    ClassMissing = "class-missing",
    /// The volume lives in one zone, and fleet and Swarm must be told which.
    ZoneUnknown = "zone-unknown",
    /// A file's text comes from exactly one place.
    FileShape = "file-shape",
    /// A file of the spec cannot be read.
    FileMissing = "file-missing",
    /// A file beyond what the target carries.
    FileTooLarge = "file-too-large",
    /// Swarm makes no config without a byte.
    FileEmpty = "file-empty",
    /// What runs before the stop must fit into the grace.
    BeforeExceedsGrace = "before-exceeds-grace",
    /// A check asks by http, by tcp or by a command.
    HealthShape = "health-shape",
    /// fleet and Swarm run checks inside the container and must be told with what.
    HealthNeedsCommand = "health-needs-command",
    /// `start` delays `live`; alone it says nothing.
    StartWithoutLive = "start-without-live",
    /// `apart_from` names no service of this compile, or the service itself.
    ApartUnknown = "apart-unknown",
    /// Both sides must keep apart: on Swarm both stacks change.
    ApartOneSided = "apart-one-sided",
    /// An external service has an address and ports, no image and no members.
    ExternalShape = "external-shape",
    /// Nothing to emit for.
    NoTargets = "no-targets",
    /// A version that berthc has no facts about.
    VersionUnknown = "version-unknown",
    /// The version asked for lacks what the spec needs.
    VersionTooOld = "version-too-old",
    /// Members on an overlay network need its name.
    NetworkMissing = "network-missing",
    /// Without a port nothing holds a Swarm node while a task stops.
    LockMissing = "lock-missing",
    /// A raw addition would overwrite what berthc decides.
    HatchOverwrites = "hatch-overwrites",
    /// A physical line of a fleet unit has at most 2047 bytes.
    LineTooLong = "line-too-long",
    /// A name that is made from the spec is too long for its target.
    NameTooLong = "name-too-long",
    /// Two things that are made have one name.
    NameClash = "name-clash",
    /// Two services may claim one path or port on one node.
    Neighbour = "neighbour",
    /// Two services of one id space have an id in common.
    IdClash = "id-clash",
    /// A waiver without a reason, or not of the form TARGET/RESOURCE/HAZARD or TARGET/FIELD.PATH.
    AcceptShape = "accept-shape",
    /// A waiver that waives nothing hides the day when it would.
    AcceptUnused = "accept-unused",
    /// What was emitted, read back and searched, breaks in a way that no waiver names.
    OutputBreaks = "output-breaks",
    /// The cluster holds an older state, and would refuse this change or restart everything for it.
    ApplyRefused = "apply-refused",
    /// A volume cannot be made smaller; data would be cut off.
    VolumeShrinks = "volume-shrinks",
    /// A service that has no spec any more, and files in OUT that would still start it.
    LeftBehind = "left-behind",
    /// A revision that is not compiled along: its files would be taken away.
    RevisionLeftOut = "revision-left-out",
    /// A template of `--templates` that berthc does not have, or that fails.
    Template = "template",
}
