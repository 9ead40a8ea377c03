//! Tests YAML from any source.

use berthc::text::yaml::{self, Document, Fault};

use crate::hostile;

fn read(text: &str) -> Vec<Document> {
    let (read, faults) = yaml::read(text);
    assert_eq!(faults, [], "{text}");
    read
}

fn one(text: &str) -> Document {
    let mut all = read(text);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

fn fault(text: &str) -> (usize, String, bool) {
    let (_, faults) = yaml::read(text);
    let [Fault { line, message, fatal }] = &faults[..] else { panic!("{faults:?} for {text}") };
    (*line, message.clone(), *fatal)
}

#[test]
fn aliases_and_merge_keys_are_expanded() {
    let text = "base: &base\n  a: 1\n  b: [x, &y y]\nother: &other {b: 2, c: 3}\n\
                one:\n  <<: *base\n  a: 5\n  z: *y\ntwo:\n  <<: [*base, *other]\nthree: *base\n\"<<\": {q: 1}\n";
    let document = one(text);
    let get = |way: &[&str]| document.at(way).and_then(|v| v.text());
    assert_eq!(get(&["one", "a"]).as_deref(), Some("5"));
    assert_eq!(get(&["one", "z"]).as_deref(), Some("y"));
    assert_eq!(document.at(&["one", "b"]).unwrap().texts(), ["x", "y"]);
    assert_eq!(document.at(&["one", "<<"]).map(|v| v.line()), None);
    assert_eq!(document.at(&["two", "b"]).unwrap().texts(), ["x", "y"]);
    assert_eq!(get(&["two", "c"]).as_deref(), Some("3"));
    assert_eq!(get(&["three", "a"]).as_deref(), Some("1"));
    assert_eq!(get(&["<<", "q"]).as_deref(), Some("1"));
    let keys: Vec<&str> = document.at(&["two"]).unwrap().entries().into_iter().map(|(k, _)| k).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    // The path is that of the use, and the line is that of the text.
    let item = document.at(&["two", "b"]).unwrap().items()[1];
    assert_eq!((item.field().as_str(), item.line()), ("two.b[1]", 3));
    // A value from an alias has the line of its key.
    assert_eq!(document.at(&["three"]).map(|v| v.line()), Some(11));
    assert_eq!(document.at(&["three", "a"]).map(|v| v.line()), Some(2));
}

#[test]
fn scalars_keep_their_text_and_style() {
    let document = one("a: 010\nb: \"5\"\nc: yes\nd: 1.0\ne:\nf: ~\ng: \"null\"\nh: |\n  x\n  y\ni: -3\n");
    let get = |key: &str| document.at(&[key]).unwrap();
    assert_eq!(get("a").as_str(), Some("010"));
    assert_eq!((get("b").text().as_deref(), get("b").number()), (Some("5"), None));
    assert_eq!(get("c").flag(), Some(true));
    assert_eq!(get("d").as_str(), Some("1.0"));
    assert_eq!((get("e").is_null(), get("e").line()), (true, 5));
    assert!(get("f").is_null() && document.root().given("f").is_none());
    assert_eq!(get("g").as_str(), Some("null"));
    assert_eq!((get("h").as_str(), get("h").line()), (Some("x\ny\n"), 8));
    assert_eq!(get("i").number(), Some(-3));
}

#[test]
fn the_line_of_a_value_is_that_of_its_key() {
    let text = "one:\n\n  # said\n  two:\n    - a\n    -\n      b:\n        c\n  three:\n    {d: 1}\n";
    let document = one(text);
    let line = |way: &[&str]| document.at(way).unwrap().line();
    assert_eq!([line(&["one"]), line(&["one", "two"]), line(&["one", "three"])], [1, 4, 9]);
    // The lines of a block scalar are lines of the file.
    let lines = |text: &str| one(text).at(&["a"]).unwrap().lines().map(|l| l.0).collect::<Vec<_>>();
    assert_eq!((lines("a: |\n  x\n\n  y\n"), lines("a: \"x\\ny\"\n")), (vec![2, 3, 4], vec![1, 1]));
    // Without a key, a collection has the line of its first entry.
    let items = document.at(&["one", "two"]).unwrap().items();
    assert_eq!([items[0].line(), items[1].line(), items[1].get("b").unwrap().line()], [5, 7, 7]);
    assert_eq!((document.root().line(), line(&["one", "three", "d"])), (1, 10));
}

#[test]
fn every_kind_of_document_is_read() {
    let text = "\u{feff}%YAML 1.1\r\n---\r\na: 1\r\n--- # next\r\nb: 2\r\n...\r\n---\r\n\r\n# none\r\n--- {c: 3}\r\n";
    let all = read(text);
    let lines: Vec<(String, usize)> = all
        .iter()
        .flat_map(|d| {
            d.root().entries().into_iter().map(|(k, v)| (k.to_owned(), v.line())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(lines, [("a".into(), 3), ("b".into(), 5), ("c".into(), 10)]);
    let json =
        "{\n\t\"kind\": \"Pod\",\n\t\"spec\": {\"containers\": [\n\t\t{\"name\": \"a\\u00e9\"}\n\t]}\n}\n";
    let pod = one(json);
    let name = pod.at(&["spec", "containers"]).unwrap().items()[0].get("name").unwrap();
    assert_eq!((name.as_str(), name.line()), (Some("aé"), 4));
}

#[test]
fn unreadable_parts_are_reported() {
    assert_eq!(
        fault("a: 1\nb: 2\na: 3\n"),
        (3, "the key `a` appears twice: only the last one counts".into(), false)
    );
    let (read, _) = yaml::read("a: 1\nb: 2\na: 3\n");
    assert!(read[0].at(&["a"]).unwrap().is("3") && read[0].root().entries().len() == 2);
    let (line, message, fatal) = fault("a: 1\n---\nb:\n\t- c\n");
    assert!(line >= 3 && message.starts_with("not YAML: ") && fatal, "{line} {message}");
    assert_eq!(fault("x:\n  {{ .Values.a }}: b\n"), (2, "a key must be plain text".into(), true));
    assert_eq!(
        fault("a: &a\n  - *a\n"),
        (2, "an alias refers to a value that contains the alias".into(), true)
    );
    assert_eq!(fault("a: !reset []\n"), (1, "the tag `!reset` is ignored".into(), false));
    assert!(fault("a: *nobody\n").2);
}

#[test]
fn aliases_add_a_bounded_number_of_values() {
    for text in hostile::yaml(4) {
        let (read, _) = yaml::read(&text);
        let values: usize = read.iter().map(|d| d.scalars().count()).sum();
        assert!(values <= text.len() + yaml::MAX_COPIES, "{values} in {}", &text[..60.min(text.len())]);
    }
}

#[test]
fn each_value_of_many_documents_has_its_place() {
    let text = hostile::documents(4);
    let all = read(&text);
    let last = all.last().unwrap().scalars().last().unwrap();
    assert_eq!((all.len(), last.line()), (1000, text.lines().count()));
    assert_eq!(last.field(), "spec.containers[19].env[0].value");
}
