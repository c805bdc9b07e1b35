//! The documentation stays true where that can be held cheaply: its words, its links, its commands and what they print.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;
use usersyncd::cli::args::Args;

const EXAMPLE: &str = "--config config.example.yaml";

/// A page, by its path from the top.
struct Page {
    path: PathBuf,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|_| panic!("no {}", path.display()))
}

/// The pages that people read.
fn pages() -> Vec<Page> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|it| Path::new("docs").join(it.unwrap().file_name()));
    let mut paths = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    paths.extend(docs.filter(|it| it.extension().is_some_and(|it| it == "md")));
    let page = |path: PathBuf| Page {
        text: read(&path),
        path,
    };
    paths.into_iter().map(page).collect()
}

/// A page without its code blocks.
fn prose(text: &str) -> String {
    let mut code = false;
    let outside = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    outside.collect::<Vec<_>>().join("\n")
}

/// The stable words that an enum of the sources gives out: `Reason::New => "new",`.
fn words(source: &str, of: &str) -> BTreeSet<String> {
    let word = |line: &str| {
        let arm = line.trim_start().strip_prefix(of)?.strip_prefix("::")?;
        let (_, word) = arm.rsplit_once(" => ")?;
        let word = word.strip_prefix('"')?.strip_suffix("\",")?;
        Some(word.to_owned())
    };
    let words: BTreeSet<String> = read(source).lines().filter_map(word).collect();
    assert!(words.len() > 4, "{of} was not found in {source}");
    words
}

#[test]
fn every_reason_to_hold_and_every_notice_has_a_section() {
    let page = read("docs/held.md");
    let sections: BTreeSet<&str> = page
        .lines()
        .filter_map(|it| it.strip_prefix("### "))
        .collect();
    let sources = [
        ("HoldReason", "src/model/held.rs"),
        ("NoticeKind", "src/model/change.rs"),
    ];
    for (of, source) in sources {
        for word in words(source, of) {
            assert!(
                sections.contains(word.as_str()),
                "docs/held.md: no section `{word}`"
            );
        }
    }
}

#[test]
fn every_fate_of_a_record_is_explained() {
    let page = read("docs/how-it-decides.md");
    for word in words("src/reconcile/fates.rs", "Fate") {
        assert!(
            page.contains(&format!("`{word}`")),
            "docs/how-it-decides.md: no `{word}`"
        );
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for Page { path, text } in pages() {
        for target in prose(&text).split("](").skip(1) {
            let target = target.split(')').next().unwrap();
            if target.starts_with("https://") {
                continue;
            }
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            let at = path.display();
            assert!(root().join(&file).exists(), "{at}: no file {target}");
            let found = anchor.is_empty() || anchors(&read(&file)).contains(anchor);
            assert!(found, "{at}: no section {target}");
        }
    }
    assert!(links > 30, "{links}");
}

/// The names under which the headings of a page can be linked to.
fn anchors(text: &str) -> BTreeSet<String> {
    let text = prose(text);
    let headings = text.lines().filter(|it| it.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|it| it.is_alphanumeric() || " -_".contains(*it));
        kept.map(|it| if it == ' ' { '-' } else { it }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn the_two_commands_are_those_that_run() {
    let readme = read("README.md");
    let lines: Vec<&str> = readme.lines().collect();
    let sync = format!("cargo run --locked -- {EXAMPLE} --sync-now");
    assert!(lines.contains(&sync.as_str()), "README.md: no `{sync}`");
    assert!(lines.contains(&"tests/run"), "README.md: no `tests/run`");
    let example = read("config.example.yaml");
    let own = format!("#     usersyncd {EXAMPLE} --sync-now");
    assert!(
        example.lines().any(|it| it == own),
        "config.example.yaml: no `{own}`"
    );
    let run = std::fs::metadata(root().join("tests/run")).unwrap();
    assert!(run.permissions().mode() & 0o111 != 0);
    assert!(read(".ci/run").lines().any(|it| it == "step tests/run"));
}

#[test]
fn everything_that_can_be_typed_is_mentioned() {
    let all: Vec<String> = pages().into_iter().map(|it| it.text).collect();
    let all = all.join("\n");
    let command = Args::command();
    let subcommands: Vec<_> = command.get_subcommands().collect();
    assert!(subcommands.len() > 4);
    for it in &subcommands {
        let typed = format!("usersyncd {}", it.get_name());
        assert!(all.contains(&typed), "no page mentions `{typed}`");
    }
    for it in std::iter::once(&command).chain(subcommands) {
        for option in it.get_arguments().filter_map(clap::Arg::get_long) {
            let typed = format!("--{option}");
            assert!(all.contains(&typed), "no page mentions `{typed}`");
        }
    }
}

/// A copy of the example in a folder of its own, so that it begins without a store.
struct Example {
    folder: tempfile::TempDir,
}

impl Example {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let people = folder.path().join("tests/example");
        std::fs::create_dir_all(&people).unwrap();
        std::fs::create_dir(folder.path().join("target")).unwrap();
        let copy = |file: &Path| std::fs::copy(root().join(file), folder.path().join(file));
        copy(Path::new("config.example.yaml")).unwrap();
        for file in std::fs::read_dir(root().join("tests/example")).unwrap() {
            let name = file.unwrap().file_name();
            copy(&Path::new("tests/example").join(name)).unwrap();
        }
        Example { folder }
    }

    /// What a command prints, given as it is typed behind `usersyncd`.
    fn answer(&self, typed: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_usersyncd"))
            .args(typed.split(' '))
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{typed}: {log}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn the_example_prints_what_the_readme_shows() {
    let readme = read("README.md");
    let example = Example::new();
    for outcome in ["applied", "in_sync"] {
        let answer = example.answer(&format!("{EXAMPLE} --sync-now"));
        assert!(answer.starts_with(outcome), "{answer}");
        let shown = format!("```text\n{answer}```\n");
        assert!(readme.contains(&shown), "README.md does not show: {answer}");
    }
    let mut shown = 0;
    for block in readme.split("```console\n$ usersyncd ").skip(1) {
        let (typed, rest) = block.split_once('\n').unwrap();
        let (answer, _) = rest.split_once("```").unwrap();
        assert_eq!(answer, example.answer(typed), "{typed}");
        shown += 1;
    }
    assert!(shown > 1);
}
