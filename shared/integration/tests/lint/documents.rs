use crate::{in_step, repository};

/// The fenced blocks of a guide whose info string is `info`.
fn blocks(guide: &str, info: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in guide.lines() {
        match &mut open {
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None if line.strip_prefix("```") == Some(info) => open = Some(String::new()),
            None => {}
        }
    }
    blocks
}

fn guide() -> String {
    std::fs::read_to_string(repository().join("docs/integration.md")).unwrap()
}

#[test]
fn the_reference_of_lint_is_in_step_with_the_rules() {
    in_step(&repository().join("docs/lint.md"), &integration::lint_reference());
}

#[test]
fn the_example_of_the_guide_has_no_mistake() {
    let examples = blocks(&guide(), "yaml integration");
    assert!(!examples.is_empty());
    let schema = jsonschema::validator_for(&integration::json_schema()).unwrap();
    for example in examples {
        crate::good(&example);
        let value = mapping::parse("example", example).unwrap().to_value();
        assert!(schema.is_valid(&value), "{value}");
    }
}

#[test]
fn the_fragments_of_the_guide_have_no_mistake() {
    let fragments = blocks(&guide(), "yaml http_action");
    assert!(fragments.len() >= 8, "{}", fragments.len());
    for fragment in fragments {
        let indented: String = fragment.lines().map(|line| format!("    {line}\n")).collect();
        // The step's arguments are not known here: an operator gives whatever the fragment reads.
        let text = format!(
            "name: example\nconnector: {{base_url: https://desk.example.com}}\nhttp_actions:\n  x:\n{indented}\
             actions:\n  create_ticket:\n    steps:\n      - action: {{action_name: x, input_args: \
             {{MERGE(): [data.context]}}, output_key: _}}\n      - return: {{output_mapper: data.context.payload}}\n"
        );
        crate::good(&text);
    }
}

#[test]
fn the_guide_names_every_key_of_the_grammar() {
    let guide = guide();
    let mut keys = std::collections::BTreeSet::new();
    collect(&integration::json_schema(), &mut keys);
    let missing: Vec<String> = keys
        .into_iter()
        .filter(|key| !guide.contains(&format!("`{key}`")) && !guide.contains(&format!("{key}:")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/integration.md does not name {missing:?}"
    );
}

fn collect(schema: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(properties) = object.get("properties").and_then(serde_json::Value::as_object) {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| collect(value, found));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
