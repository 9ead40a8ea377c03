//! The readers of emitted text.

use berthc::text::{unit, yaml};

#[test]
fn units_are_read_as_systemd_reads_them() {
    let text = "# comment\n[Unit]\nDescription = a b\n\n[Service]\nExecStart=/bin/a \\\n  # in the middle\n  \"b c\" \\\n  d\n\
                ExecStartPre=-/bin/x\nthis is nothing\n[X-Fleet]\nConflicts=a@*.service\n";
    let (settings, unread) = unit::read(text);
    let got: Vec<(&str, &str, &str, usize)> =
        settings.iter().map(|s| (s.section.as_str(), s.key.as_str(), s.value.as_str(), s.line)).collect();
    assert_eq!(
        got,
        [
            ("Unit", "Description", "a b", 3),
            ("Service", "ExecStart", "/bin/a \"b c\" d", 6),
            ("Service", "ExecStartPre", "-/bin/x", 10),
            ("X-Fleet", "Conflicts", "a@*.service", 13),
        ]
    );
    assert_eq!(unread, ["this is nothing"]);
}

#[test]
fn exec_lines_are_split_into_words() {
    for (value, words) in [
        ("a b  c", vec!["a", "b", "c"]),
        (r#""a b" 'c d' e"f g"h"#, vec!["a b", "c d", "ef gh"]),
        (r#""a\nb" "\x41\u00e9\\" 100%% $$HOME %n"#, vec!["a\nb", "Aé\\", "100%", "$HOME", "%n"]),
        (r#""" x"#, vec!["", "x"]),
    ] {
        assert_eq!(unit::words(value).unwrap(), words, "{value}");
    }
    assert_eq!(unit::words("\"open"), None);
    assert_eq!(unit::words("\\x4"), Some(vec!["\u{4}".into()]));
    assert_eq!(unit::words("\\"), None);
}

#[test]
fn quoted_words_are_read_back_unchanged() {
    for text in [
        "",
        "plain",
        "a b",
        "\"'\\",
        "%n $X $$",
        "line\nline\ttab",
        "\u{1}\u{7f}\u{85}\u{2028}",
        "é😀",
        "; # =",
        "a\\x41",
    ] {
        assert_eq!(unit::words(&berthc::text::quote::exec(text)).unwrap(), [text], "{text:?}");
    }
}

#[test]
fn values_have_lines_and_fields() {
    let text = "# head\na: 1\n---\nb:\n  - c: x\n    d: [1, two]\n---\n# nothing\n---\nbroken: [\n";
    let (read, failed) = yaml::documents(text);
    assert_eq!((read.len(), failed.len()), (2, 1));
    let c = read[1].at(&["b"]).unwrap().items()[0].get("c").unwrap();
    assert_eq!((c.as_str(), c.field().as_str(), c.line()), (Some("x"), "b[0].c", 5));
    let d = read[1].at(&["b"]).unwrap().items()[0].get("d").unwrap();
    assert_eq!(d.texts(), ["1", "two"]);
    assert_eq!(read[0].at(&["a"]).unwrap().line(), 2);
    assert!(read[0].at(&["a", "b"]).is_none());
}
