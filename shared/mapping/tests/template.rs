//! Templates, after the specification of Mustache (github.com/mustache/spec) where it covers what is here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "a value written in place reads better"
)]

use mapping::{Environment, Escape, HtmlEscape, Replacements, Segment, Template, TimeForm, parse};
use serde_json::{Value, json};

fn render(template: &str, root: Value) -> String {
    Template::parse(template)
        .unwrap_or_else(|error| panic!("{error}"))
        .render(&root, &mut HtmlEscape, &Environment::now())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn mistake(template: &str) -> (usize, usize, String) {
    let error = Template::parse(template)
        .err()
        .unwrap_or_else(|| panic!("`{template}` compiles"));
    assert!(error.code.starts_with("TG01"), "{error}");
    let (line, column) = error.place.as_ref().unwrap().line_column();
    (line, column, error.message)
}

#[test]
fn interpolation() {
    assert_eq!(
        render("Hello from {Mustache}!\n", json!({})),
        "Hello from {Mustache}!\n"
    );
    assert_eq!(
        render("Hello, {{subject}}!", json!({"subject": "world"})),
        "Hello, world!"
    );
    assert_eq!(
        render(
            "|{{ string }}|{{{ string }}}|{{& string }}|",
            json!({"string": "---"})
        ),
        "|---|---|---|"
    );
    assert_eq!(render("{{\n  string\n}}", json!({"string": "---"})), "---");
    assert_eq!(
        render(
            "{{a}} {{b}} {{c}} {{d}}",
            json!({"a": 85, "b": 1.21, "c": true, "d": 1e3})
        ),
        "85 1.21 true 1000.0"
    );
    assert_eq!(
        render("I ({{cannot}}) be ({{null}}) seen", json!({"null": null})),
        "I () be () seen"
    );
    assert_eq!(render("  {{string}}\n", json!({"string": "---"})), "  ---\n");
}

#[test]
fn html_escaping() {
    let root = || json!({"forbidden": "& \" < >"});
    assert_eq!(render("{{forbidden}}", root()), "&amp; &quot; &lt; &gt;");
    assert_eq!(render("{{{forbidden}}}", root()), "& \" < >");
    assert_eq!(render("{{&forbidden}}", root()), "& \" < >");
    assert_eq!(render("{{s}}", json!({"s": "it's"})), "it's");
}

#[test]
fn lists_and_objects_are_compact_json() {
    assert_eq!(
        render("{{{x}}}", json!({"x": {"b": [1, "z"], "a": null}})),
        r#"{"b":[1,"z"],"a":null}"#
    );
    assert_eq!(render("{{x}}", json!({"x": ["a"]})), "[&quot;a&quot;]");
}

#[test]
fn dotted_names() {
    assert_eq!(
        render("{{person.name}}", json!({"person": {"name": "Joe"}})),
        "Joe"
    );
    assert_eq!(render("{{ a . b }}", json!({"a": {"b": 1}})), "1");
    assert_eq!(render("{{a.b.c}}", json!({"a": {}})), "");
    assert_eq!(render("{{a.b}}", json!({"a": "text"})), "");
    // A chain that breaks is not mended further out.
    assert_eq!(
        render(
            "{{#a}}{{b.c}}{{/a}}",
            json!({"a": {"b": {}}, "b": {"c": "ERROR"}})
        ),
        ""
    );
    assert_eq!(
        render(
            "{{#a}}{{b.name}}{{/a}}",
            json!({"a": {"x": 1}, "b": {"name": "Phil"}})
        ),
        "Phil"
    );
}

#[test]
fn elements_of_lists() {
    assert_eq!(
        render(
            "{{ first_list.0 }}{{first_list.1.id}}",
            json!({"first_list": ["x", {"id": 7}]})
        ),
        "x7"
    );
    assert_eq!(render("{{l.5}}{{l.-1}}{{l.length}}", json!({"l": ["x"]})), "");
    assert_eq!(render("{{o.0}}", json!({"o": {"0": "key"}})), "key");
}

#[test]
fn names_with_dashes_and_other_marks_are_names() {
    let root = json!({"first-name": "Ada", "@id": 7, "dc:title": "T", "größe": 1, "custom": {"a-b": "c"}});
    assert_eq!(
        render(
            "{{first-name}} {{@id}} {{dc:title}} {{größe}} {{custom.a-b}}",
            root
        ),
        "Ada 7 T 1 c"
    );
}

#[test]
fn implicit_iterators() {
    assert_eq!(render("Hello, {{.}}!", json!("world")), "Hello, world!");
    assert_eq!(
        render("{{#list}}({{.}}){{/list}}", json!({"list": ["a", 1, 2.5]})),
        "(a)(1)(2.5)"
    );
    assert_eq!(
        render(
            "{{#list}}({{#.}}{{.}}{{/.}}){{/list}}",
            json!({"list": [[1, 2], ["a"]]})
        ),
        "(12)(a)"
    );
    assert_eq!(render("{{#.}}{{v}},{{/.}}", json!([{"v": 1}, {"v": 2}])), "1,2,");
    assert_eq!(
        render("{{#list}}{{0}}-{{/list}}", json!({"list": [["x"], ["y"]]})),
        "x-y-"
    );
}

#[test]
fn sections() {
    assert_eq!(render("{{#b}}yes{{/b}}{{^b}}no{{/b}}", json!({"b": true})), "yes");
    assert_eq!(render("{{#b}}yes{{/b}}{{^b}}no{{/b}}", json!({"b": false})), "no");
    assert_eq!(render("{{#b}}yes{{/b}}{{^b}}no{{/b}}", json!({})), "no");
    assert_eq!(
        render("{{#c}}Hi {{name}}.{{/c}}", json!({"c": {"name": "Joe"}})),
        "Hi Joe."
    );
    assert_eq!(
        render("{{#l}}{{i}}{{/l}}", json!({"l": [{"i": 1}, {"i": 2}]})),
        "12"
    );
    assert_eq!(render("{{#l}}x{{/l}}{{^l}}none{{/l}}", json!({"l": []})), "none");
    assert_eq!(
        render(
            "{{#a}}{{one}}{{#b}}{{one}}{{two}}{{/b}}{{/a}}",
            json!({"a": {"one": 1}, "b": {"two": 2}})
        ),
        "112"
    );
    assert_eq!(
        render("{{#a.b.c}}Here{{/a.b.c}}", json!({"a": {"b": {"c": true}}})),
        "Here"
    );
    assert_eq!(
        render("{{# boolean }}={{/\n  boolean\n}}", json!({"boolean": true})),
        "="
    );
    // A field that is null inside hides one of the same name outside.
    assert_eq!(
        render(
            "{{#a}}[{{x}}]{{/a}}",
            json!({"a": {"x": null, "y": 1}, "x": "outside"})
        ),
        "[]"
    );
}

/// An optional cell of a query disappears when its value is null or empty.
#[test]
fn empty_values_close_a_section() {
    for empty in [
        json!(null),
        json!(""),
        json!(false),
        json!([]),
        json!({}),
        json!(0),
    ] {
        assert_eq!(render("{{# v }}name{{/ v }}", json!({"v": empty})), "", "{empty}");
        assert_eq!(render("{{^v}}none{{/v}}", json!({"v": empty})), "none", "{empty}");
    }
    assert_eq!(render("{{# v }}{{v}}{{/ v }}", json!({"v": "x"})), "x");
}

#[test]
fn tags_alone_on_a_line_take_the_line_with_them() {
    let lines = "| This Is\n{{#boolean}}\n|\n{{/boolean}}\n| A Line\n";
    assert_eq!(
        render(lines, json!({"boolean": true})),
        "| This Is\n|\n| A Line\n"
    );
    let indented = "| This Is\n  {{^boolean}}\t\n|\n  {{/boolean}}\n| A Line\n";
    assert_eq!(
        render(indented, json!({"boolean": false})),
        "| This Is\n|\n| A Line\n"
    );
    assert_eq!(render("|\r\n{{#b}}\r\n{{/b}}\r\n|", json!({"b": true})), "|\r\n|");
    assert_eq!(render("  {{#b}}\n#{{/b}}\n/", json!({"b": true})), "#\n/");
    assert_eq!(render("#{{#b}}\n/\n  {{/b}}", json!({"b": true})), "#\n/\n");
    assert_eq!(
        render(" | {{#b}}\t|\t{{/b}} | \n", json!({"b": true})),
        " | \t|\t | \n"
    );
    assert_eq!(
        render(" {{#b}}YES{{/b}}\n {{#b}}GOOD{{/b}}\n", json!({"b": true})),
        " YES\n GOOD\n"
    );
}

#[test]
fn comments() {
    assert_eq!(
        render("12345{{! it's \"a\" comment }}67890", json!({})),
        "1234567890"
    );
    assert_eq!(
        render(
            "Begin.\n  {{!\n  Something's going on...\n  }}\nEnd.\n",
            json!({})
        ),
        "Begin.\nEnd.\n"
    );
    assert_eq!(render("  12 {{! 34 }}\n", json!({})), "  12 \n");
    assert_eq!(render("{{!}}", json!({})), "");
}

#[test]
fn expressions() {
    assert_eq!(
        render(
            r#"{{from.$SPLIT("T")[0]}}"#,
            json!({"from": "2024-05-01T10:00:00Z"})
        ),
        "2024-05-01"
    );
    assert_eq!(
        render(
            r#"{{ name.$REPLACE("}}", "{") OR 'none' }}"#,
            json!({"name": "a}}b"})
        ),
        "a{b"
    );
    assert_eq!(
        render("{{{ {'a': {'b': tags[0]}}.a.b }}}", json!({"tags": ["<x>"]})),
        "<x>"
    );
    assert_eq!(
        render(
            "{{{$CONCAT(tags, '&')}}}{{& 1 + 2 }}",
            json!({"tags": ["a", "b"]})
        ),
        "a&b3"
    );
    assert_eq!(render("{{missing.$TRIM()}}", json!({})), "");
    assert_eq!(
        render(
            "{{#xs.$FILTER(x => x > 1)}}{{.}};{{/ xs.$FILTER(x => x > 1) }}",
            json!({"xs": [1, 2, 3]})
        ),
        "2;3;"
    );
    assert_eq!(render("{{$.a}}{{$[\"b c\"]}}", json!({"a": 1, "b c": 2})), "12");
}

#[test]
fn expressions_in_sections_see_the_nearest_name() {
    let template = "{{#users}}{{name.$UPPERCASE()}} {{$CONCAT([greeting, id])}};{{/users}}";
    let root = json!({"greeting": "hi", "name": "root", "users": [{"name": "ada", "id": 1}, {"id": 2}]});
    assert_eq!(render(template, root), "ADA hi1;ROOT hi2;");
    let nested = "{{#a}}{{#b}}{{x + y + z}}{{/b}}{{/a}}";
    assert_eq!(
        render(nested, json!({"z": 100, "y": 1, "a": {"y": 10, "b": [{"x": 1}]}})),
        "111"
    );
}

#[test]
fn mistakes_name_the_place_and_the_fix() {
    assert_eq!(mistake("a\nb {{#x}}\n{{y}}").0, 2);
    assert!(mistake("{{#x}}").2.contains("not closed"));
    assert_eq!(
        mistake("ok {{/x}}"),
        (1, 4, "`{{/x}}` closes no section".to_owned())
    );
    let (line, column, message) = mistake("{{#a}}\n  {{#b}}{{/a}}{{/b}}");
    assert_eq!((line, column), (2, 9));
    assert!(message.contains("`{{/b}}`"), "{message}");
    assert_eq!((mistake("ab {{x").0, mistake("ab {{x").1), (1, 4));
    assert!(mistake("{{{x}}").2.contains("}}}"));
    assert!(mistake("{{ }}").2.contains("empty"));
    assert!(mistake("{{> header}}").2.contains("partial"));
    assert!(mistake("{{=<% %>=}}").2.contains("delimiters"));
    assert!(mistake("{{x.$SPLT('T')}}").2.contains("$SPLT"));
    assert_eq!(mistake("abc {{ a + }}").0, 1);
    let deep = "{{#x}}".repeat(100) + &"{{/x}}".repeat(100);
    assert!(mistake(&deep).2.contains("sections"));
}

#[test]
fn places_point_into_the_document() {
    let node = parse("f.yaml", "body: |\n  line\n  {{#a}} {{b.$NOPE()}}\n").unwrap();
    let error = Template::compile(node.get("body").unwrap()).err().unwrap();
    assert_eq!(error.place.unwrap().line_column(), (3, 14));
    let node = parse("f.yaml", "path: \"/x/{{ }}\"\n").unwrap();
    let error = Template::compile(node.get("path").unwrap()).err().unwrap();
    assert_eq!(error.place.unwrap().line_column(), (1, 11));
    let node = parse("f.yaml", "path: /x/{{a.$TRIM()}}\n").unwrap();
    let template = Template::compile(node.get("path").unwrap()).unwrap();
    let error = template
        .render(&json!({"a": 1}), &mut HtmlEscape, &Environment::now())
        .err()
        .unwrap();
    assert_eq!(
        (error.code(), error.place().unwrap().line_column()),
        ("TG0301", (1, 12))
    );
}

#[test]
fn scalars_that_are_no_text_are_templates_too() {
    let node = parse("f.yaml", "limit: 1000\nlist: [1]\nnothing:\nyes: true").unwrap();
    let text = |key: &str| {
        Template::compile(node.get(key).unwrap())
            .unwrap()
            .source()
            .to_owned()
    };
    assert_eq!(
        (text("limit"), text("nothing"), text("yes")),
        ("1000".into(), String::new(), "true".into())
    );
    assert!(Template::compile(node.get("list").unwrap()).is_err());
}

#[test]
fn a_template_knows_what_it_reads() {
    let reads = |text: &str| -> Vec<String> {
        Template::parse(text)
            .unwrap()
            .reads()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(reads("{{a.b}} {{a.b}} {{c.0}}"), ["$.a.b", "$.c[*]"]);
    assert_eq!(
        reads("{{from.$SPLIT('T')[0]}}{{#q}}{{q}}{{/q}}"),
        ["$.from", "$.q"]
    );
    assert_eq!(reads("{{#rows}}{{name}}{{/rows}}"), ["$.rows", "$.name"]);
    assert_eq!(reads("{{.}}"), ["$"]);

    let template = Template::parse("{{#rows}}{{name}}{{/rows}}{{x}}").unwrap();
    let required: Vec<_> = template
        .required_reads()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(required, ["$.rows", "$.x"]);
    assert_eq!(template.reads()[0].segments, [Segment::Key("rows".into())]);
    assert_eq!(template.reads()[0].place.line_column(), (1, 1));
}

#[test]
fn constants_are_known() {
    assert!(
        Template::parse("/tickets{{! all of them }}")
            .unwrap()
            .is_constant()
    );
    assert!(!Template::parse("/tickets/{{id}}").unwrap().is_constant());
}

/// What stands around a value is what an escape needs to know to put it there safely.
#[test]
fn an_escape_sees_everything_in_order() {
    struct Log(Vec<String>);
    impl Escape for Log {
        fn literal(&mut self, text: &str, out: &mut String) {
            self.0.push(format!("text {text}"));
            out.push_str(text);
        }
        fn value(&mut self, value: &Value, raw: bool, out: &mut String) -> Result<(), String> {
            self.0.push(format!("value {value} {raw}"));
            if value == "bad" {
                return Err("this value cannot stand here".into());
            }
            out.push('?');
            Ok(())
        }
    }
    let template = Template::parse("{\"a\": \"{{a}}\", {{#b}}{{{.}}},{{/b}}{{missing}}}").unwrap();
    let mut log = Log(Vec::new());
    let out = template
        .render(
            &json!({"a": {"x": 1}, "b": [1, true]}),
            &mut log,
            &Environment::now(),
        )
        .unwrap();
    assert_eq!(out, "{\"a\": \"?\", ?,?,}");
    assert_eq!(
        log.0,
        [
            "text {\"a\": \"",
            "value {\"x\":1} false",
            "text \", ",
            "value 1 true",
            "text ,",
            "value true true",
            "text ,",
            "text }"
        ]
    );
    let error = template
        .render(&json!({"a": "bad"}), &mut Log(Vec::new()), &Environment::now())
        .err()
        .unwrap();
    assert!(error.message().contains("cannot stand here"), "{error}");
    assert_eq!(error.place().unwrap().line_column(), (1, 8));
}

#[test]
fn limits_hold() {
    let mut environment = Environment::now();
    environment.limits.output_bytes = 100;
    let long = Template::parse("{{#l}}0123456789{{/l}}").unwrap();
    let list: Vec<u8> = vec![1; 50];
    let error = long
        .render(&json!({"l": list}), &mut HtmlEscape, &environment)
        .err()
        .unwrap();
    assert!(error.is_limit(), "{error}");
    let mut environment = Environment::now();
    environment.limits.steps = 10_000;
    let many = Template::parse("{{#l}}{{#l}}{{#l}}{{^x}}{{/x}}{{/l}}{{/l}}{{/l}}").unwrap();
    let error = many
        .render(&json!({"l": list}), &mut HtmlEscape, &environment)
        .err()
        .unwrap();
    assert!(error.is_limit(), "{error}");
}

#[test]
fn replacements_are_made_in_values_and_in_one_pass_before_the_escape() {
    let pair = |text: &str, instead: &str| (text.to_owned(), Some(instead.to_owned()));
    let replacements = Replacements::new([
        pair("'", "\\'"),
        pair("\\", "\\\\"),
        pair("<<", "«"),
        pair("<", "lt"),
    ]);
    let template = Template::parse("it's {{#on}}'{{{x}}}'{{/on}} {{x}}")
        .unwrap()
        .replacing(replacements);
    let render = |x: Value| {
        let root = json!({"x": x, "on": true});
        template.render(&root, &mut HtmlEscape, &Environment::now())
    };
    assert_eq!(
        render(json!("o'\\<<<&")).unwrap(),
        "it's 'o\\'\\\\«lt&' o\\'\\\\«lt&amp;"
    );
    assert_eq!(render(json!(null)).unwrap(), "it's '' ");
    assert_eq!(render(json!(7)).unwrap(), "it's '7' 7");
    assert!(render(json!({"a": 1})).is_err());
}

#[test]
fn a_time_form_writes_what_it_reads() {
    let form = TimeForm::new("%d.%m.%Y %H:%M", "Europe/Berlin").unwrap();
    let time = form.read("05.07.2026 12:30").unwrap();
    assert_eq!(time.to_string(), "2026-07-05T10:30:00Z");
    assert_eq!(form.write(time).unwrap(), "05.07.2026 12:30");
    for (format, zone) in [("%d.%m.%Y", "Berlin"), ("%H:%M", "UTC"), ("%!", "UTC")] {
        assert!(TimeForm::new(format, zone).is_err(), "{format} {zone}");
    }
}
