use std::collections::BTreeMap;

use crate::{in_step, repository};

/// A fenced block: its info string and what is in it.
struct Block {
    info: String,
    text: String,
}

/// All fenced blocks of a page, in order.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(info)) => {
                open = Some(Block {
                    info: info.to_owned(),
                    text: String::new(),
                });
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The texts of the blocks with this info string.
fn texts(page: &str, info: &str) -> Vec<String> {
    let blocks = blocks(page).into_iter();
    blocks
        .filter(|block| block.info == info)
        .map(|block| block.text)
        .collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(repository().join("docs").join(name)).unwrap()
}

fn guide() -> String {
    page("integration.md")
}

#[test]
fn the_reference_of_lint_is_in_step_with_the_rules() {
    in_step(&repository().join("docs/lint.md"), &integration::lint_reference());
}

#[test]
fn the_examples_of_the_guide_and_the_cookbook_have_no_mistake() {
    let schema = jsonschema::validator_for(&integration::json_schema()).unwrap();
    for (name, at_least) in [("integration.md", 2), ("cookbook.md", 15)] {
        let examples = texts(&page(name), "yaml integration");
        assert!(examples.len() >= at_least, "{name}: {}", examples.len());
        for example in examples {
            crate::good(&example);
            let value = mapping::parse("example", example).unwrap().to_value();
            assert!(schema.is_valid(&value), "{name}: {value}");
        }
    }
}

#[test]
fn the_fragments_of_the_guide_and_the_cookbook_have_no_mistake() {
    for (name, at_least) in [("integration.md", 8), ("cookbook.md", 10)] {
        let fragments = texts(&page(name), "yaml http_action");
        assert!(fragments.len() >= at_least, "{name}: {}", fragments.len());
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
}

/// The tutorial's blocks are the files of one folder, written one after the other, a later one over an earlier one of
/// the same name. Wherever it runs `lint`, there is nothing to find.
#[test]
fn the_tutorial_has_no_mistake_at_any_step() {
    let mut files = BTreeMap::new();
    let mut steps = 0;
    for block in blocks(&page("tutorial.md")) {
        if let Some(name) = block.info.strip_prefix("yaml tracker/") {
            files.insert(name.to_owned(), block.text);
        } else if block.text.contains("$ ticket-gateway lint tracker\n") {
            let loaded = integration::load_files(&files);
            assert!(loaded.diagnostics.is_empty(), "{}", loaded.render(false));
            steps += 1;
        } else {
            assert!(!block.info.starts_with("yaml"), "not checked: {}", block.text);
        }
    }
    assert!(steps >= 8, "{steps}");
    assert!(integration::load_files(&files).integration.is_some());
}

/// Every YAML block of the cookbook is of a kind that is checked.
#[test]
fn the_cookbook_has_no_block_that_is_not_checked() {
    for block in blocks(&page("cookbook.md")) {
        assert!(
            ["yaml integration", "yaml http_action"].contains(&block.info.as_str()),
            "`{}`: {}",
            block.info,
            block.text
        );
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
