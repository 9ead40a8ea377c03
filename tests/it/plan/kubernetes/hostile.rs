//! Text with a special meaning for YAML, for the expansion of Kubernetes or for templates reaches
//! the container unchanged.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Out, entry, list, node, volume};

/// Expands `command`, `args` and `env` as kubernetes `third_party/forked/golang/expansion` does.
fn expand(input: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = input;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.chars().next() {
            None => out.push('$'),
            Some('$') => {
                out.push('$');
                rest = &rest[1..];
            }
            Some('(') => match rest.find(')') {
                Some(end) => {
                    let name = &rest[1..end];
                    let known = variables.get(name).cloned();
                    out.push_str(&known.unwrap_or_else(|| format!("$({name})")));
                    rest = &rest[end + 1..];
                }
                None => {
                    out.push_str("$(");
                    rest = &rest[1..];
                }
            },
            Some(c) => {
                out.push('$');
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Returns the variables and the command line that the kubelet gives the member's container.
fn started(out: &Out) -> (BTreeMap<String, String>, Vec<String>) {
    let container = out.container();
    let mut variables = BTreeMap::new();
    for variable in list(&container["env"]) {
        let name = variable["name"].as_str().unwrap().to_owned();
        let value = match (&variable["value"], &variable["valueFrom"]["fieldRef"]["fieldPath"]) {
            (Value::String(text), _) => expand(text, &variables),
            (_, Value::String(path)) => format!("<{path} $(BERTH_NAME)>"),
            _ => "<secret $(BERTH_NAME) $$>".to_owned(),
        };
        variables.insert(name, value);
    }
    let words = list(&container["command"]).iter().chain(list(&container["args"]));
    let words = words.map(|w| expand(w.as_str().unwrap(), &variables)).collect();
    (variables, words)
}

const HOSTILE: [&str; 48] = [
    "",
    " ",
    " leading",
    "trailing ",
    "\t",
    "\n",
    "two\nlines",
    "ends\n",
    "ends twice\n\n",
    "\nbegins",
    "a\n\n  b\n",
    "  a\nb",
    "\"",
    "'",
    "it's \"quoted\"",
    "\\",
    "\\n",
    "a: b",
    "a #b",
    "#",
    "- a",
    "---",
    "...",
    "yes",
    "No",
    "on",
    "null",
    "~",
    "1e3",
    "0x10",
    "010",
    "22:22",
    "2001-01-01",
    "<<",
    "=",
    "*a &b !c",
    "[a, b]",
    "{a: b}",
    "%n %% %h",
    "$",
    "$$",
    "$$$(X)$$",
    "$(BERTH_NAME) $(X",
    "${X} `x` $x;",
    "\u{2028}\u{feff}\u{1b}",
    "é😀\u{a0}",
    "a\r\nb",
    "{% raw %}{{ x }}{% endraw %}",
];

/// Returns `text` as a spec must write it, so that berthc reads exactly this text.
fn written(text: &str) -> String {
    let escaped = text.replace("{{", "{{ '{{' }}").replace("{%", "{{ '{%' }}").replace("{#", "{{ '{#' }}");
    serde_json::to_string(&escaped).unwrap().replace('\u{2028}', "\\u2028").replace('\u{feff}', "\\ufeff")
}

/// Returns the text without expressions, because files are emitted unchanged.
fn verbatim(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{2028}', "\\u2028").replace('\u{feff}', "\\ufeff")
}

#[test]
fn containers_get_the_text_of_the_spec() {
    for text in HOSTILE {
        let word = written(text);
        let out = volume()
            .set("command", format!("[{word}]"))
            .set("args", format!("[x, {word}, {{ each: members, arg: {word} }}]"))
            .set("env", format!("{{ A: {word}, B: \"{{{{ member.name }}}}\", C: {word} }}"))
            .set("stop", format!("{{ grace: 30s, before: {{ run: [a, {word}], within: 1s }} }}"))
            .set("health", format!("{{ run: [a, {word}] }}"))
            .set("update", format!("{{ healthy: {word} }}"))
            .set(
                "files",
                format!(
                    "{{ /f: {{ content: {} }}, /g: {{ content: {word}, template: true }}, \
                     /h: {{ content: \"{{{{ member.id }}}}{}, template: true }} }}",
                    verbatim(text),
                    &word[1..]
                ),
            )
            .set("annotations", format!("{{ a: {} }}", verbatim(text)))
            .out();
        let (variables, words) = started(&out);
        assert_eq!(words, [text, "x", text, text, text, text], "{text:?}");
        assert_eq!((variables["A"].as_str(), variables["C"].as_str()), (text, text));
        let container = out.container();
        assert_eq!(container["lifecycle"]["preStop"]["exec"]["command"][1], text);
        assert_eq!(container["readinessProbe"]["exec"]["command"][1], text);
        let data = &out.one("ConfigMap")["data"];
        assert_eq!((&data["f"], &data["g"]), (&text.into(), &text.into()));
        assert_eq!(data["db-1.h"], format!("1{text}"));
        assert_eq!(out.one("StatefulSet")["spec"]["template"]["metadata"]["annotations"]["a"], text);
        assert_eq!(out.one("StatefulSet")["spec"]["updateStrategy"]["type"], "OnDelete");
    }
}

#[test]
fn text_next_to_run_time_parts_stays_unchanged() {
    for before in HOSTILE {
        for after in ["", "$", "(X)", "$(X)", "\n", ")"] {
            let value = format!("{before}{{{{ member.name }}}}{after}");
            let value = written(&value).replace("{{ '{{' }} member.name", "{{ member.name");
            let out =
                volume().set("env", format!("{{ A: {value} }}")).set("args", format!("[{value}]")).out();
            let (variables, words) = started(&out);
            let wanted = format!("{before}<metadata.name $(BERTH_NAME)>{after}");
            // A field is passed on unchanged, whatever its value looks like.
            assert_eq!((variables["A"].as_str(), words[0].as_str()), (wanted.as_str(), wanted.as_str()));
        }
    }
    let secrets = volume().set("secrets", "{ a: { ref: x/k } }");
    let out = secrets.set("env", "{ A: \"$(B){{ secret('a') }}$\" }").out();
    assert_eq!(started(&out).0["A"], "$(B)<secret $(BERTH_NAME) $$>$");
}

#[test]
fn raw_additions_keep_their_text() {
    // A spec rejects a merge key, even in quotes.
    for text in HOSTILE.into_iter().filter(|text| *text != "<<") {
        let word = verbatim(text);
        let more = format!(
            ", container: {{ env: [{{ name: X, value: {word} }}], securityContext: {{ {word}: [[{word}], {{ a: {word} }}] }} }}, \
             pod: {{ hostAliases: [{{ ip: {word}, hostnames: [{word}] }}] }}, service: {{ sessionAffinityConfig: {{ b: {word} }} }}"
        );
        // The API has no such fields; this test only checks the printed text.
        let unsearched = berthc::Options { skip_search: true, ..super::options() };
        let out = super::compile_as(&[node().kubernetes("1.34", &more)], &unsearched);
        assert_eq!(entry(&out.container()["env"], "X")["value"], text);
        assert_eq!(out.container()["securityContext"][text], serde_json::json!([[text], { "a": text }]));
        assert_eq!(out.pod()["hostAliases"][0]["hostnames"][0], text);
        assert_eq!(out.named("Service", "db-client")["spec"]["sessionAffinityConfig"]["b"], text);
    }
}

#[test]
fn names_that_look_like_other_types_stay_text() {
    for name in ["on", "yes", "null", "y1e3"] {
        let out = node()
            .set("service", format!("\"{name}\""))
            .set("members", format!("{{ per: node, on: {{ \"{name}\": \"1e3\" }} }}"))
            .set("labels", format!("{{ \"{name}\": \"on\" }}"))
            .set("exclusive", format!("{{ ports: {{ \"{name}\": 80 }}, address: node }}"))
            .set("helpers", "{ n: { image: \"no:1\" } }")
            .set("secrets", format!("{{ \"{name}\": {{ ref: {name}/{name} }} }}"))
            .out();
        assert_eq!(out.one("DaemonSet")["metadata"]["name"], name);
        assert_eq!(out.one("DaemonSet")["metadata"]["labels"][name], "on");
        assert_eq!(out.pod()["nodeSelector"][name], "1e3");
        assert_eq!(out.container()["ports"][0]["name"], name);
        assert_eq!(out.named("Service", name)["spec"]["ports"][0]["targetPort"], name);
        assert_eq!(out.pod()["containers"][1]["name"], "n");
        assert_eq!(out.pod()["volumes"][0]["projected"]["sources"][0]["secret"]["name"], name);
    }
}
