//! Applies every plain mend of every case until nothing is left. A mend makes its finding go, never leads in
//! a circle, and never brings a new violation.

use std::collections::{BTreeMap, BTreeSet};

use berthc::explore::Bounds;
use berthc::finding::codes;
use berthc::verify::mend::{self, Mended};
use berthc::verify::{Verified, verify};
use berthc::world::File;

use crate::harness::{root, walk};

/// Mends in words, and why no line can stand for them.
const WORDS: &[(&str, &str)] = &[
    ("selector: the labels", "only the reader knows the pods"),
    ("leave it out", "a key goes"),
    ("no command that removes", "a command goes"),
    ("not here", "the line belongs in another section"),
    ("the option of podman in PodmanArgs=", "only the reader knows the option"),
    ("or newer on the machine", "a duty"),
    ("of its own, with a name", "the data moves"),
    (", or no ", "the data moves, or a file goes"),
    ("in place of", "a part of a line"),
    ("for a backslash that stays", "a character of a line"),
    ("in `docker run`", "a word of a line, not a line"),
    ("with two dashes", "a word of a line, not a line"),
    ("a check that the container can pass", "only the reader knows the check"),
    ("test: a command that the image has", "only the reader knows the check"),
    ("drain a node whose dockerd", "a duty"),
    ("image: a tag of version", "only the reader knows the version"),
    ("three members, or one", "a choice"),
    ("one of them", "a choice"),
    ("a file for each member", "services move to other files"),
    ("a nodePort of 30000 to 32767", "the number is the reader's choice"),
    ("another port of the machine for one of them", "the number is the reader's choice"),
    ("make the volume by hand", "a duty"),
    ("secrets: [", "one item of a list is another"),
    ("with the version that wrote this data", "only the reader knows the version"),
    ("after you restore the template", "a duty"),
    ("for the one that only reads", "only the reader knows whether one only reads"),
    ("which it follows:", "the line belongs in another file"),
    ("a directory for each instance", "the data moves"),
    ("-%i/datalog", "two mounts of a template: where the second directory lies is the reader's choice"),
    ("/mnt/DISK/NAME", "only the reader knows the disk"),
    ("${DATA}", "a word of a line, not a line"),
    ("KAFKA_LOG_DIRS=", "a variable and a volume: where the variables stand differs"),
    ("MachineMetadata=docs=1   MachineMetadata=disk=ssd", "two lines for one"),
    ("Restart=always in [Service]", "an option goes, and a key comes"),
    ("[X-Fleet]", "the head of a section; or an option in another section"),
    ("a claim per member", "a claim and its place are the reader's choice"),
    ("a claim t", "a claim and its size are the reader's choice"),
    ("a durable mount at", "where the mount comes from is the reader's choice"),
    ("instead of the entry in `data`", "an entry of another map"),
    ("a directory or volume of its own", "only the reader knows which of the two moves"),
    ("a label that several nodes carry", "only the reader knows the nodes"),
    ("a machine that carries", "a duty on machines"),
    ("a path or claim of its own", "only the reader knows which of the two moves"),
    ("a different label in each", "only the reader knows the labels"),
    ("# and another number", "one line for each of several services"),
    ("a volume or directory of each node", "a choice"),
    ("the names of the members that exist", "only the reader knows the members"),
    ("the names of services", "only the reader knows the servers"),
    (": another number", "only the reader knows a free port"),
    ("or a check that the member has joined", "only the reader knows the check"),
    ("as the livenessProbe has it", "the check is copied from another probe"),
    ("change both in one commit", "a duty"),
    ("docker run --name", "the name has to be the same in every unit of the data"),
    ("each its own path or volume", "only the reader knows which of the two moves"),
    ("healthcheck: { disable: true }, or", "a choice"),
    ("kind: StatefulSet", "another kind needs a Service and claims"),
    ("labelSelector: the labels", "only the reader knows the labels"),
    ("leave `replicas` out", "a choice"),
    ("maxUnavailable: 1, and no minAvailable", "two keys of which one goes"),
    ("name, instead of generateName", "only the reader knows the name"),
    ("name: keeper-${VERSION}", "the version comes from outside"),
    ("name: tuning-${VERSION}", "the version comes from outside"),
    ("no budget for a DaemonSet", "an object goes"),
    ("no line that makes", "a line goes"),
    ("no rm of the data", "a command changes"),
    ("node.labels.feed == 1", "an item of a list, by its text"),
    ("one service for each member", "one service becomes several"),
    ("parallelism: 1, or", "a choice"),
    ("publish a port", "only the reader knows a free port"),
    ("publish one of them", "only the reader knows a free port"),
    ("ports: [{ target: PORT", "only the reader knows a free port"),
    ("remove it once", "a duty"),
    ("required podAntiAffinity", "an affinity over pods that may have other rules"),
    ("restart_policy: { condition: any }, without", "two keys of which one goes"),
    ("run in the foreground", "a command changes"),
    ("if it is a server with data of its own", "only the reader knows what the container does"),
    ("subPath: again", "the data moves"),
    ("or deploy with a client of 28", "the data moves, or nothing in the file changes"),
    ("target: /", "a part of a mount in short form"),
    ("type: Directory, with", "only the reader knows the path"),
    ("type: bind, source:", "a choice"),
    ("updateStrategy: { type: OnDelete }, and", "a line and a duty"),
    ("volumeClaimTemplates: a claim", "a claim and its size are the reader's choice"),
    ("what `podAntiAfinity` has", "a key is renamed with all below it"),
    ("what `strategy` has", "a key is renamed with all below it"),
    ("name: \"data-{{.Task.Slot}}\"", "the volume gets another name"),
    ("write another", "only the reader knows the id"),
    ("write the service out", "text of another file"),
    ("--mount type=bind,source=/mnt/d1/", "the option is another one, or the data moves"),
];

/// Cases whose files stay: what they are about cannot be changed in place.
const STAY: &[(&str, &str)] = &[
    ("k8s-json", "a key without quotes is no JSON"),
    ("k8s-one-object-twice", "two versions of one object, of which each is told"),
    ("unit-podman-shares-a-directory", "the words are docker's"),
];

fn look(texts: &BTreeMap<String, String>) -> Verified {
    let files: Vec<File<'_>> = texts.iter().map(|(path, text)| File { path, text }).collect();
    verify(&files, Bounds::default())
}

/// The files of every case of `verify`, and of every example of a finding.
fn cases() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for folder in ["tests/cases", "tests/found"] {
        for path in walk(&root().join(folder)) {
            let below = path.strip_prefix(root().join(folder)).unwrap().to_string_lossy().into_owned();
            let (case, file) = below.split_once('/').unwrap_or((&below, &below));
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            all.entry(format!("{folder}/{case}")).or_default().insert(file.to_owned(), text);
        }
    }
    all.retain(|_, files| files.get("expect.toml").is_none_or(|e| e.contains("kind = \"verify\"")));
    all.values_mut().for_each(|files| drop(files.remove("expect.toml")));
    all.retain(|case, _| !case.ends_with("README.md"));
    all
}

/// Whether a mend is words: its text has one of [`WORDS`] in it.
fn is_words(fix: &str) -> bool {
    WORDS.iter().any(|(words, _)| fix.contains(words))
}

#[test]
fn every_plain_mend_works() {
    let (mut applied, mut wrong) = (0, Vec::new());
    let mut used = BTreeSet::new();
    for (case, texts) in cases() {
        let Mended { applied: done, verified, refused, .. } = mend::all(&texts, &look);
        applied += done.len();
        for finding in refused.into_iter().filter(|_| !STAY.iter().any(|(name, _)| case.ends_with(name))) {
            wrong.push(format!(
                "{case}: taken back: {}: {}\n  {}",
                finding.code, finding.message, finding.fix
            ));
        }
        for finding in &verified.findings {
            used.extend(
                WORDS.iter().filter(|(words, _)| finding.fix.contains(words)).map(|(words, _)| *words),
            );
            // The settings of a program are the reader's choice, and what is elsewhere is elsewhere.
            let own = finding.code == codes::NEVER || finding.code == codes::OUTSIDE;
            if !own && !is_words(&finding.fix) && !STAY.iter().any(|(name, _)| case.ends_with(name)) {
                wrong.push(format!(
                    "{case}: not applied: {}: {}\n  {}",
                    finding.code, finding.message, finding.fix
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} mends do not work:\n{}", wrong.len(), wrong.join("\n"));
    assert!(applied >= 100, "{applied} mends");
    let idle: Vec<_> = WORDS.iter().filter(|(words, _)| !used.contains(words)).collect();
    assert!(idle.is_empty(), "no mend has these words: {idle:?}");
}

#[test]
fn the_mends_of_many_services_need_few_searches() {
    const SERVICES: usize = 12;
    let name = |i: usize| char::from(b'a' + i as u8);
    let service = |i| {
        format!(
            "  {n}db:\n    image: postgres:16\n    volumes: [\"{n}data:/var/lib/postgresql/data\"]\n    ports: [{{target: 5432, published: {}, mode: host}}]\n",
            5432 + i,
            n = name(i)
        )
    };
    let volume = |i| format!("  {}data: {{}}\n", name(i));
    let services: String = (0..SERVICES).map(service).collect();
    let volumes: String = (0..SERVICES).map(volume).collect();
    let texts =
        BTreeMap::from([("stack.yml".to_owned(), format!("services:\n{services}volumes:\n{volumes}"))]);
    let searches = std::cell::Cell::new(0);
    let count = |texts: &BTreeMap<String, String>| {
        searches.set(searches.get() + 1);
        look(texts)
    };
    let Mended { applied, refused, verified, .. } = mend::all(&texts, &count);
    assert!(applied.len() >= SERVICES && refused.is_empty(), "{applied:#?} {refused:#?}");
    assert!(verified.holds(), "{:#?}", verified.findings);
    assert!(searches.get() <= 4, "{} searches", searches.get());
}
