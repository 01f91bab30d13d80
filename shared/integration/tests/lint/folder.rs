use std::fs;
use std::path::Path;

use integration::{Loaded, load, load_files, load_text};
use tempfile::TempDir;

const MINIMAL: &str = include_str!("../fixtures/good/minimal.yaml");

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn only_message(loaded: &Loaded) -> String {
    assert_eq!(loaded.diagnostics.len(), 1, "{}", loaded.render(false));
    assert!(loaded.integration.is_none());
    format!("{} {}", loaded.diagnostics[0].code, loaded.diagnostics[0].message)
}

#[test]
fn a_file_and_a_folder_with_that_file_are_the_same() {
    let folder = folder(&[("integration.yaml", MINIMAL), ("README.md", "# Not YAML: [")]);
    for path in [folder.path().to_owned(), folder.path().join("integration.yaml")] {
        let loaded = load(&path);
        assert_eq!(loaded.integration.unwrap().name, "example");
    }
}

#[test]
fn the_files_of_a_folder_are_merged() {
    let (head, actions) = MINIMAL.split_once("actions:\n  query_ticket_by_id").unwrap();
    let (top, http_actions) = head.split_once("http_actions:").unwrap();
    let folder = folder(&[
        ("integration.yaml", top),
        ("http.yaml", &format!("http_actions:{http_actions}")),
        ("actions.yml", &format!("actions:\n  query_ticket_by_id{actions}")),
        (
            "more.yaml",
            "settings: {region: {type: text}}\nticketing: {states: {Open: NEW}}\n",
        ),
        (
            "even-more.yaml",
            "ticketing: {identity: {requestor: settings.region}}\n",
        ),
    ]);
    let loaded = load(folder.path());
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.render(false));
    let integration = loaded.integration.unwrap();
    assert_eq!(integration.settings.len(), 2);
    assert_eq!(integration.ticketing.states().len(), 1);
    assert!(integration.ticketing.identity().is_some());
}

#[test]
fn a_key_in_two_files_is_a_mistake_that_names_both() {
    let folder = folder(&[
        ("a.yaml", MINIMAL),
        (
            "b.yaml",
            "name: other\nhttp_actions:\n  get_ticket: {method: GET, path: /other}\n",
        ),
    ]);
    let loaded = load(folder.path());
    let found: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("b.yaml:1:1") && found[0].contains("a.yaml:1:1"),
        "{found:?}"
    );
    assert!(
        found[1].contains("b.yaml:3:3") && found[1].contains("`http_actions.get_ticket`"),
        "{found:?}"
    );
    assert!(found.iter().all(|it| it.starts_with("TG0207")));
}

#[test]
fn what_cannot_be_read_is_said() {
    assert!(
        only_message(&load(Path::new("/no/such/folder"))).starts_with("TG0208 cannot read /no/such/folder")
    );
    let empty = folder(&[]);
    assert!(only_message(&load(empty.path())).contains("holds no .yaml file"));
    let large = folder(&[("integration.yaml", &"#".repeat(1024 * 1024 + 1))]);
    assert!(only_message(&load(large.path())).contains("at most 1048576"));
    let many = folder(&[]);
    for number in 0..65 {
        fs::write(many.path().join(format!("{number}.yaml")), "").unwrap();
    }
    assert!(only_message(&load(many.path())).contains("holds 65 files; at most 64"));
    let binary = folder(&[]);
    fs::write(binary.path().join("integration.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(only_message(&load(binary.path())).starts_with("TG0208"));
}

#[cfg(unix)]
#[test]
fn a_link_may_not_lead_out_of_the_folder() {
    use std::os::unix::fs::symlink;

    let outside = folder(&[("private.txt", "token: [abc")]);
    let inside = folder(&[]);
    symlink(
        outside.path().join("private.txt"),
        inside.path().join("integration.yaml"),
    )
    .unwrap();
    let said = only_message(&load(inside.path()));
    assert!(said.starts_with("TG0208"), "{said}");
    assert!(
        said.contains("integration.yaml is a link that leads out of"),
        "{said}"
    );
    assert!(!said.contains("abc") && !said.contains("private.txt"), "{said}");

    // As Kubernetes mounts files.
    let mounted = folder(&[]);
    fs::create_dir(mounted.path().join("..data")).unwrap();
    fs::write(mounted.path().join("..data/integration.yaml"), MINIMAL).unwrap();
    symlink("..data/integration.yaml", mounted.path().join("integration.yaml")).unwrap();
    assert!(load(mounted.path()).is_good());
    // A link that is named is meant.
    symlink(mounted.path(), inside.path().join("link")).unwrap();
    assert!(load(&inside.path().join("link")).is_good());
}

#[test]
fn diagnostics_come_in_the_order_of_files_and_places() {
    let folder = folder(&[
        ("a.yaml", "connector: {x: 1}\nname: A\n"),
        ("b.yaml", "http_actions: 5\nactions: 6\n"),
    ]);
    let loaded = load(folder.path());
    let places: Vec<(String, usize)> = loaded
        .diagnostics
        .iter()
        .map(|it| it.place.as_ref().unwrap())
        .map(|place| {
            (
                place.source.name.rsplit('/').next().unwrap().to_owned(),
                place.start,
            )
        })
        .collect();
    assert!(places.is_sorted() && places.len() >= 5, "{places:?}");
}

#[test]
fn little_to_send_and_much_to_keep_is_refused() {
    // What compresses to a few kilobytes when it is pushed.
    let too_long = format!("{MINIMAL}\n# {}\n", "x".repeat(2 * 1024 * 1024));
    let message = only_message(&load_text("a.yaml", too_long));
    assert!(
        message.starts_with("TG0281") && message.contains("2097152 bytes"),
        "{message}"
    );

    let list = |length| format!("l: [{}]", "1,".repeat(length));
    let message = only_message(&load_text("a.yaml", list(100_000)));
    assert!(message.starts_with("TG0100"), "{message}");

    // No file alone is too large.
    let files = |count, length| (0..count).map(|n| (format!("{n}.yaml"), list(length))).collect();
    let message = only_message(&load_files(&files(3, 40_000)));
    assert!(
        message.starts_with("TG0281") && message.contains("values"),
        "{message}"
    );
    let message = only_message(&load_files(&files(65, 1)));
    assert!(
        message.starts_with("TG0281") && message.contains("64 files"),
        "{message}"
    );
}
