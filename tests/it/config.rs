//! The configuration file: the example, and what every kind of mistake is answered with.

use std::path::{Path, PathBuf};

use usersyncd::config::{self, Loaded, Problem};

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
    let Loaded { config, warnings } = loaded(&root().join("config.example.yaml"));
    assert_eq!(lines(&warnings), "");
    let names: Vec<_> = config
        .directories
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["office", "lab", "partners", "corporate"]);
    assert!(!config.directories[3].enabled);
    assert_eq!(config.applications.len(), 1);
}

/// The lines `#key: value` of the example.
#[test]
fn the_defaults_that_the_example_shows_are_the_defaults() {
    let text = std::fs::read_to_string(root().join("config.example.yaml")).unwrap();
    let shown = |line: &&str| {
        let code = line.trim_start();
        code.starts_with('#') && code[1..].starts_with(|c: char| c.is_ascii_lowercase())
    };
    assert!(text.lines().filter(shown).count() > 30);
    let uncommented: Vec<String> = text
        .lines()
        .map(|line| {
            if shown(&line) {
                line.replacen('#', "", 1)
            } else {
                line.to_owned()
            }
        })
        .collect();
    let parse = |text: &str| {
        config::parse(text, "config.example.yaml", root())
            .unwrap_or_else(|problems| panic!("{}", lines(&problems)))
    };
    let as_it_stands = format!("{:#?}", parse(&text).config);
    let written_out = format!("{:#?}", parse(&uncommented.join("\n")).config);
    similar(&as_it_stands, &written_out);
}

fn similar(left: &str, right: &str) {
    for (left, right) in left.lines().zip(right.lines()) {
        assert_eq!(left, right);
    }
    assert_eq!(left.lines().count(), right.lines().count());
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
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), lines(&problems));
        });
    }
}
