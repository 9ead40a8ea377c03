//! The catalogue of diagnostics: each code is stable, and `berthc explain` shows its comment.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// The code of a diagnostic, printed in brackets.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// All codes, in the order of the stages.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the code as printed: kebab-case, stable.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The codes of the notes about a spec. Those about what is emitted are
            /// [`codes`](crate::finding::codes).
            pub const NOTES: [Self; 4] = [Self::ImageFloats, Self::NoResources, Self::NoUser, Self::LayerLost];

            /// Returns what the code means.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc, "\n"),+)),+ }
            }
        }
    };
}

codes! {
    /// The text is not valid YAML or TOML.
    Syntax = "syntax",
    /// The file contains no document.
    Empty = "empty",
    /// The file contains several documents. One file is one spec, so the others would be lost.
    Documents = "documents",
    /// A map has the same key twice. Readers of YAML disagree on which of the two values wins.
    DuplicateKey = "duplicate-key",
    /// The spec uses an anchor, an alias, a tag or a merge key. Each value of a spec must be
    /// written where it applies.
    YamlFeature = "yaml-feature",
    /// A number has a leading zero: `010` is 8 in YAML 1.1 and 10 in YAML 1.2.
    LeadingZero = "leading-zero",
    /// The number does not fit into 64 bits.
    NumberRange = "number-range",
    /// The document is nested too deeply.
    TooDeep = "too-deep",
    /// The document is too large.
    TooLarge = "too-large",
    /// The text contains a character that no target can represent, such as NUL, or one that berthc
    /// uses internally.
    CharacterForbidden = "character-forbidden",
    /// A spec cannot be read, or changed while berthc compiled it.
    SpecUnread = "spec-unread",
    /// A `base` cannot be read.
    BaseMissing = "base-missing",
    /// A file is its own base, directly or through other files.
    BaseCycle = "base-cycle",
    /// An override is not of the form PATH=VALUE, or changes a field that cannot be overridden.
    SetShape = "set-shape",
    /// An override does not match any spec, or does not say which one.
    SetNowhere = "set-nowhere",
    /// The spec has a key that berthc does not know. A misspelt rule must not be ignored silently.
    UnknownKey = "unknown-key",
    /// The value has the wrong type. berthc never converts numbers and booleans to text.
    WrongType = "wrong-type",
    /// The field does not allow this value.
    BadValue = "bad-value",
    /// The file belongs to another program: a manifest, a compose file.
    NotASpec = "not-a-spec",
    /// A required field is missing.
    Missing = "missing",
    /// An orchestrator would reject this name.
    BadName = "bad-name",
    /// This is not an image reference.
    BadImage = "bad-image",
    /// A path must be absolute, without `.`, `..` or double slashes, and consist of plain
    /// characters.
    BadPath = "bad-path",
    /// The image keeps its data where no data directory is mounted.
    DataElsewhere = "data-elsewhere",
    /// A port is a number from 1 to 65535.
    BadPort = "bad-port",
    /// A duration is written in whole seconds: `30s`, `2m`, `1m30s`.
    BadDuration = "bad-duration",
    /// A quantity is written as in Kubernetes: `500m`, `8Gi`.
    BadQuantity = "bad-quantity",
    /// Kubernetes, fleet or Swarm would reject this label.
    BadLabel = "bad-label",
    /// A user must be a number: a name means different users in different images.
    BadUser = "bad-user",
    /// This is neither an IP address nor a DNS name.
    BadAddress = "bad-address",
    /// A file mode is three or four octal digits in quotes, and must let the user of the container
    /// read the file.
    BadMode = "bad-mode",
    /// Docker or Kubernetes does not know this signal.
    BadSignal = "bad-signal",
    /// An expression has a syntax error.
    ValueSyntax = "value-syntax",
    /// An expression uses something that the language of values does not have.
    ValueForbidden = "value-forbidden",
    /// The expression has no result, or its result is neither text nor a number.
    ValueFails = "value-fails",
    /// An expression uses a name that does not exist.
    ValueName = "value-name",
    /// An expression or its result is too long.
    ValueTooLong = "value-too-long",
    /// A value uses `member.id` or `member.name` on a `per: node` service, or a field that members
    /// do not have.
    MemberField = "member-field",
    /// An expression computes with a value that is known only when the container runs.
    RuntimeArithmetic = "runtime-arithmetic",
    /// A value that is known only when the container runs is used where the orchestrator expands
    /// nothing.
    RuntimeNotHere = "runtime-not-here",
    /// A value uses `secret('x')`, but the spec has no `secrets.x`.
    SecretUnknown = "secret-unknown",
    /// A reference to a secret must be NAME/KEY.
    SecretRef = "secret-ref",
    /// A value or check names a port that is not in `exclusive.ports`.
    PortUnknown = "port-unknown",
    /// A value uses `peers('x')`, but no spec of this compile is the service `x`.
    PeerUnknown = "peer-unknown",
    /// The peer is not compiled for this target, so it has no address there.
    PeerNotOnTarget = "peer-not-on-target",
    /// A container on the network of the node cannot resolve the names of an overlay network.
    PeerOnOtherNetwork = "peer-on-other-network",
    /// The spec does not give the address of a member on this target.
    AddressUnknown = "address-unknown",
    /// Members are either one per node, or counted.
    MembersShape = "members-shape",
    /// A member can move to another node, but its data stays behind. The member would start there
    /// without data.
    MemberMoves = "member-moves",
    /// A member is bound to a node, but its volume can move. The member would have two identities.
    NodeVolume = "node-volume",
    /// No target can give an id to a `per: node` member.
    IdPerNode = "id-per-node",
    /// The host directory does not contain the id of the member. If one label is wrong, two members
    /// use the same directory.
    HostWithoutId = "host-without-id",
    /// A counted service has no revisions. Its members stay, and you change the spec.
    RevisionCounted = "revision-counted",
    /// A fleet global unit needs a revision: a change would otherwise restart every machine's
    /// member at once.
    RevisionMissing = "revision-missing",
    /// Two revisions of one service differ in a field that they must share.
    RevisionsDiffer = "revisions-differ",
    /// Two specs have the same service name (and the same revision).
    ServiceTwice = "service-twice",
    /// The addresses in `at` do not match the members.
    PinTable = "pin-table",
    /// This target cannot pin these members to nodes.
    PinNotHere = "pin-not-here",
    /// Data is either on the node (`host`) or on the network (`volume`), not both.
    DataShape = "data-shape",
    /// Two mounts have the same path, or one lies inside another.
    MountTwice = "mount-twice",
    /// Two directories of one service are the same, or one contains the other.
    HostTwice = "host-twice",
    /// A member uses one port number twice.
    PortTwice = "port-twice",
    /// On the network of the node, the hostname is that of the node.
    HostnameOnNodeNetwork = "hostname-on-node-network",
    /// `guard: lock` needs a `command` and data, because berthc takes the lock before it runs the
    /// command.
    GuardShape = "guard-shape",
    /// A target cannot give the variables of the first start to the members that are meant.
    BootstrapShape = "bootstrap-shape",
    /// A client on Kubernetes is neither pods nor addresses.
    ClientShape = "client-shape",
    /// The NetworkPolicy of a service does not let in another one that names it.
    ClientShutOut = "client-shut-out",
    /// On fleet and Swarm, a service with one writer and without data must be pinned to a node.
    WriterFloats = "writer-floats",
    /// berthc does not know this volume backend.
    VolumeUnknown = "volume-unknown",
    /// The orchestrator no longer supports this volume backend.
    VolumeGone = "volume-gone",
    /// There is no docker volume plugin for this backend.
    VolumeNoPlugin = "volume-no-plugin",
    /// With two cluster volumes, Swarm starts a task that has neither of them.
    ClusterVolumes = "cluster-volumes",
    /// A StorageClass for this backend needs settings of the cluster that berthc cannot know.
    ClassMissing = "class-missing",
    /// The volume lives in one zone, and fleet and Swarm must know which.
    ZoneUnknown = "zone-unknown",
    /// A file takes its text either from `content` or from `from`.
    FileShape = "file-shape",
    /// A file that the spec names cannot be read.
    FileMissing = "file-missing",
    /// The file is larger than the target allows.
    FileTooLarge = "file-too-large",
    /// Swarm does not accept an empty config.
    FileEmpty = "file-empty",
    /// The command before the stop needs more time than the grace period allows.
    BeforeExceedsGrace = "before-exceeds-grace",
    /// A check is one of `http`, `tcp` or `run`.
    HealthShape = "health-shape",
    /// fleet and Swarm run checks inside the container, so berthc must know a tool in the image
    /// that can do it.
    HealthNeedsCommand = "health-needs-command",
    /// `start` delays `live`, so it has no effect without `live`.
    StartWithoutLive = "start-without-live",
    /// A member with data has `live` and no `start`: `live` would restart it while it recovers.
    LiveWithoutStart = "live-without-start",
    /// `live` is the same check as `ready`, so each member that is not ready is restarted.
    ReadyIsLive = "ready-is-live",
    /// `apart_from` names the service itself, or a service that no spec of this compile describes.
    ApartUnknown = "apart-unknown",
    /// Both services must name one another in `apart_from`, because on Swarm both stacks change.
    ApartOneSided = "apart-one-sided",
    /// An external service has an address and ports, but no image and no members.
    ExternalShape = "external-shape",
    /// The spec names no target.
    NoTargets = "no-targets",
    /// berthc does not know this version.
    VersionUnknown = "version-unknown",
    /// This version does not support something that the spec needs.
    VersionTooOld = "version-too-old",
    /// Members on an overlay network need the name of the network.
    NetworkMissing = "network-missing",
    /// Without a published port, Swarm may start a second task on the node while the first one
    /// stops.
    LockMissing = "lock-missing",
    /// An addition in the notation of the orchestrator would overwrite a decision of berthc.
    HatchOverwrites = "hatch-overwrites",
    /// A physical line of a fleet unit has at most 2047 bytes.
    LineTooLong = "line-too-long",
    /// A name that berthc makes from the spec is too long for its target.
    NameTooLong = "name-too-long",
    /// berthc would give two things the same name.
    NameClash = "name-clash",
    /// Two services may claim the same path or port on one node.
    Neighbour = "neighbour",
    /// Two services of one id space have an id in common.
    IdClash = "id-clash",
    /// A value is a placeholder of a starter or an example.
    Placeholder = "placeholder",
    /// A waiver has no reason, or is not of the form TARGET/RESOURCE/HAZARD or TARGET/FIELD.PATH.
    AcceptShape = "accept-shape",
    /// A waiver matches no gap. It would hide the gap if it appeared later.
    AcceptUnused = "accept-unused",
    /// The search found a breach in the emitted files that no waiver names.
    OutputBreaks = "output-breaks",
    /// The cluster would refuse this change to its current state, or restart everything for it.
    ApplyRefused = "apply-refused",
    /// A key under `moved` is not the name of a change, or its value does not say how the data was
    /// moved.
    MovedShape = "moved-shape",
    /// A change leaves the data of members where it was, and they would start without it.
    DataLeft = "data-left",
    /// A volume cannot be made smaller, because data would be cut off.
    VolumeShrinks = "volume-shrinks",
    /// OUT still contains files of a service that no longer has a spec, and these files would start
    /// it.
    LeftBehind = "left-behind",
    /// OUT contains a revision that this compile does not include. Its files would be removed.
    RevisionLeftOut = "revision-left-out",
    /// A file has expressions of the language of values, and files are not rendered.
    FileNotRendered = "file-not-rendered",
    /// A loop in an argument makes one argument with blanks, not one for each member.
    ArgumentLoops = "argument-loops",
    /// The image has no tag, or one that names another image every few days. (A note.)
    ImageFloats = "image-floats",
    /// A container has no `resources`. (A note.)
    NoResources = "no-resources",
    /// A container has no `user`. (A note.)
    NoUser = "no-user",
    /// A template or a raw addition took away a mechanism, and others still protect the member. (A
    /// note.)
    LayerLost = "layer-lost",
    /// `--templates` has a template that berthc does not know, or a template fails.
    Template = "template",
}
