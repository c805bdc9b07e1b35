//! The configuration file: the example, and what every kind of mistake is answered with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use usersyncd::clock::SystemClock;
use usersyncd::config::{self, DirectoryType, Loaded, Problem};
use usersyncd::directories::file::FileDirectory;
use usersyncd::directories::{Directory as _, Since, What};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn loaded(path: &Path) -> Loaded {
    config::load(path).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

#[test]
fn the_example_is_without_fault() {
    let Loaded {
        config, warnings, ..
    } = loaded(&root().join("config.example.yaml"));
    assert_eq!(lines(&warnings), "");
    let names: Vec<_> = config
        .directories
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "office",
            "lab",
            "partners",
            "corporate",
            "domain",
            "tracker",
            "workspace"
        ]
    );
    assert!(config.directories[3..].iter().all(|it| !it.enabled));
    let applications = config.applications.iter();
    let enabled: Vec<bool> = applications.map(|it| it.enabled).collect();
    assert_eq!(enabled, [true, false, false]);
    assert!(config.serve.is_some());
}

#[test]
fn the_defaults_that_the_example_shows_are_the_defaults() {
    let text = std::fs::read_to_string(root().join("config.example.yaml")).unwrap();
    let parse = |text: &str| {
        config::parse(text, "config.example.yaml", root())
            .unwrap_or_else(|problems| panic!("{}", lines(&problems)))
    };
    let as_it_stands = format!("{:#?}", parse(&text).config);
    let written_out = format!("{:#?}", parse(&uncommented_example()).config);
    similar(&as_it_stands, &written_out);
}

/// The example with its lines `#key: value` as options.
fn uncommented_example() -> String {
    let text = std::fs::read_to_string(root().join("config.example.yaml")).unwrap();
    let shown = |line: &&str| {
        let code = line.trim_start();
        code.starts_with('#') && code[1..].starts_with(|c: char| c.is_ascii_lowercase())
    };
    assert!(text.lines().filter(shown).count() > 30);
    let lines = text.lines().map(|line| {
        if shown(&line) {
            line.replacen('#', "", 1)
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn similar(left: &str, right: &str) {
    for (left, right) in left.lines().zip(right.lines()) {
        assert_eq!(left, right);
    }
    assert_eq!(left.lines().count(), right.lines().count());
}

#[test]
fn every_option_of_the_example_is_explained() {
    let example = uncommented_example();
    let options = std::fs::read_to_string(root().join("docs/options.md")).unwrap();
    let code = example
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default());
    let code = code.filter(|line| !line.trim_start().starts_with('#'));
    let is_key = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut keys = BTreeSet::new();
    for line in code {
        for (end, _) in line.match_indices(':') {
            let key = line[..end]
                .rsplit(|c: char| !is_key(c))
                .next()
                .unwrap_or_default();
            let rest = &line[end + 1..];
            if !key.is_empty() && (rest.is_empty() || rest.starts_with(' ')) {
                keys.insert(key);
            }
        }
    }
    assert!(keys.len() > 50, "{keys:?}");
    let word = |key: &&str| {
        options.match_indices(key).any(|(at, _)| {
            !options[..at].ends_with(is_key) && !options[at + key.len()..].starts_with(is_key)
        })
    };
    let unexplained: Vec<_> = keys.iter().filter(|key| !word(key)).collect();
    assert!(
        unexplained.is_empty(),
        "docs/options.md lacks {unexplained:?}"
    );
}

/// Each block of the page is one option of a directory or of an application.
#[test]
fn what_the_page_on_options_shows_is_accepted() {
    let options = std::fs::read_to_string(root().join("docs/options.md")).unwrap();
    let blocks: Vec<&str> = options
        .split("```yaml\n")
        .skip(1)
        .filter_map(|it| it.split("```").next())
        .collect();
    assert!(blocks.len() > 4);
    for block in blocks {
        let block = block.replace("{ credential: ldap }", "{ file: Cargo.toml }");
        let block = block.replace("{ credential: jira }", "{ file: Cargo.toml }");
        let block = block.replace("{ credential: google }", "{ file: Cargo.toml }");
        let indented: String = block
            .lines()
            .flat_map(|line| ["    ", line, "\n"])
            .collect();
        let (mut directory, mut application) = (
            "    file: { path: a.csv }\n",
            "    sql: { url: \"sqlite:a.db\" }\n",
        );
        if block.starts_with("sql:") {
            application = &indented;
        } else {
            directory = &indented;
        }
        let connector = if block.starts_with("classify:") {
            "    file: { path: b.csv }\n"
        } else {
            ""
        };
        let text = format!(
            "state: sqlite:state.db\ndirectories:\n  - name: one\n{directory}{connector}applications:\n  - name: two\n    \
             directories: [one]\n{application}"
        );
        let problems = config::parse(&text, "options.md", root())
            .err()
            .unwrap_or_default();
        assert_eq!(lines(&problems), "", "{text}");
    }
}

#[tokio::test]
async fn the_files_of_the_example_are_read_whole() {
    let Loaded { config, .. } = loaded(&root().join("config.example.yaml"));
    let mut tallies = Vec::new();
    for entry in &config.directories {
        let Some(DirectoryType::File(file)) = entry.connector() else {
            continue;
        };
        let further: Vec<String> = entry
            .further_attributes()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let clock = Arc::new(SystemClock::new());
        let name = entry.name.as_str();
        let directory = FileDirectory::new(name, file, &config.base_dir, &further, clock).unwrap();
        let read = directory.read(Since::default()).await.unwrap();
        let What::Complete(records) = read.what else {
            panic!("{name}: no complete read");
        };
        let tally = records.tally();
        assert_eq!((tally.rejected, tally.references), (0, 0), "{name}");
        tallies.push((name, tally.users, tally.groups));
    }
    assert_eq!(
        tallies,
        [("office", 4, 3), ("lab", 3, 2), ("partners", 3, 2)]
    );
}

#[test]
fn every_bad_file_is_answered_with_all_its_problems() {
    let folder = Path::new("tests/it/bad_config");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let problems = match config::parse(&text, &name, folder) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        };
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "bad_config", omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), lines(&problems));
        });
    }
}
