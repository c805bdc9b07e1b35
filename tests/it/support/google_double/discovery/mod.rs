//! Google's own description of its API, from the package for Python that the tests install: requests are held against the
//! parameters of their method, answers against its schema. It proves shape, not meaning: next to nothing is required there, and
//! what is of type `any` goes unchecked.

mod schema;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::asked::decoded;
use super::mask::Mask;
use schema::Schemas;

const DOCUMENTS: [&str; 2] = ["admin.directory_v1.json", "admin.reports_v1.json"];
/// Limits that stand only in prose: method, parameter, limit.
const LIMITS: [(&str, &str, i64); 2] = [
    ("directory.groups.list", "maxResults", 200),
    ("directory.members.list", "maxResults", 200),
];
/// Of `quotaUser`, in prose too.
const QUOTA_USER_LENGTH: usize = 40;

/// The descriptions of both APIs.
pub(crate) struct Discovery {
    documents: Vec<Value>,
}

/// A method, and what stands in the path that led to it.
struct Found<'a> {
    document: &'a Value,
    method: &'a Value,
    path: Vec<(&'a str, String)>,
}

impl Discovery {
    /// Those that `tests/run` installs.
    pub(crate) fn installed() -> &'static Discovery {
        static INSTALLED: OnceLock<Discovery> = OnceLock::new();
        INSTALLED.get_or_init(|| Discovery {
            documents: DOCUMENTS.iter().map(|it| read(it)).collect(),
        })
    }

    /// What is wrong with a request, by its method and what stands behind the host.
    pub(crate) fn request(&self, http_method: &str, target: &str) -> Vec<String> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(found) = self.find(http_method, path) else {
            return vec![format!("there is no {http_method} {path}")];
        };
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let mut faults = found.path_faults();
        faults.extend(found.query_faults(&query));
        faults.extend(found.mask_faults(&query));
        found.named(&faults)
    }

    /// What is wrong with a good answer to a request.
    pub(crate) fn response(&self, http_method: &str, target: &str, body: &Value) -> Vec<String> {
        let path = target.split('?').next().unwrap_or_default();
        let Some(found) = self.find(http_method, path) else {
            return vec![format!("there is no {http_method} {path}")];
        };
        let faults = found
            .schemas()
            .faults(&found.method["response"], body, "answer");
        found.named(&faults)
    }

    /// The method with the most literal path.
    fn find(&self, http_method: &str, path: &str) -> Option<Found<'_>> {
        let mut found = Vec::new();
        for document in &self.documents {
            let mut methods = Vec::new();
            methods_of(document, &mut methods);
            for method in methods.iter().filter(|it| it["httpMethod"] == http_method) {
                // The other form of a path has variables that stretch over slashes.
                let template = method["flatPath"].as_str().unwrap_or_default();
                if let Some(path) = matched(template, path) {
                    found.push(Found {
                        document,
                        method,
                        path,
                    });
                }
            }
        }
        found.into_iter().min_by_key(|it| it.path.len())
    }
}

impl<'a> Found<'a> {
    fn schemas(&self) -> Schemas<'a> {
        Schemas(&self.document["schemas"])
    }

    fn named(&self, faults: &[String]) -> Vec<String> {
        let id = self.method["id"].as_str().unwrap_or_default();
        faults.iter().map(|it| format!("{id}: {it}")).collect()
    }

    fn path_faults(&self) -> Vec<String> {
        let parameters = &self.method["parameters"];
        let faults = self.path.iter();
        faults
            .filter_map(|(name, value)| value_fault(name, value, &parameters[*name]))
            .collect()
    }

    fn query_faults(&self, query: &[(String, String)]) -> Vec<String> {
        let mut faults = Vec::new();
        for (at, (name, value)) in query.iter().enumerate() {
            let own = &self.method["parameters"][name];
            let parameter = if own.is_null() {
                &self.document["parameters"][name]
            } else {
                own
            };
            if parameter["location"] != "query" {
                faults.push(format!("{name} is no parameter"));
                continue;
            }
            let again = query[..at].iter().any(|it| it.0 == *name);
            if again && parameter["repeated"] != true {
                faults.push(format!("{name} stands there twice"));
            }
            faults.extend(value_fault(name, value, parameter));
            faults.extend(self.prose_fault(name, value));
        }
        let parameters = self.method["parameters"].as_object();
        for (name, parameter) in parameters.into_iter().flatten() {
            let is_there = query.iter().any(|it| it.0 == *name);
            if parameter["location"] == "query" && parameter["required"] == true && !is_there {
                faults.push(format!("{name} is missing"));
            }
        }
        faults
    }

    fn prose_fault(&self, name: &str, value: &str) -> Option<String> {
        if name == "quotaUser" && value.chars().count() > QUOTA_USER_LENGTH {
            return Some(format!("{name} is longer than {QUOTA_USER_LENGTH}"));
        }
        let limit = LIMITS
            .iter()
            .find(|it| self.method["id"] == it.0 && name == it.1)?;
        let above = value.parse().is_ok_and(|it: i64| it > limit.2);
        above.then(|| format!("{name}={value} is above {}", limit.2))
    }

    /// A mask must name fields that there are.
    fn mask_faults(&self, query: &[(String, String)]) -> Vec<String> {
        let texts = query
            .iter()
            .filter(|it| it.0 == "fields" && !it.1.is_empty());
        let faults = texts.flat_map(|(_, text)| match Mask::read(text) {
            Err(fault) => vec![format!("fields: {fault}")],
            Ok(mask) => self
                .schemas()
                .mask_faults(&self.method["response"], &mask, "fields"),
        });
        faults.collect()
    }
}

fn read(name: &str) -> Value {
    let path = documents().join(name);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Where the package for Python keeps the documents; the version of Python is in the path.
fn documents() -> PathBuf {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients/python/lib");
    let versions = std::fs::read_dir(lib).into_iter().flatten();
    let mut documents = versions
        .map(|it| {
            it.unwrap()
                .path()
                .join("site-packages/googleapiclient/discovery_cache/documents")
        })
        .filter(|it| it.is_dir());
    let found = documents.next();
    found.expect("Google's client is not installed: run tests/run --prepare")
}

/// The methods of a document, or of a resource and those in it.
fn methods_of<'a>(holder: &'a Value, found: &mut Vec<&'a Value>) {
    let inside = |key: &str| {
        holder[key]
            .as_object()
            .into_iter()
            .flat_map(Map::values)
            .collect::<Vec<_>>()
    };
    found.extend(inside("methods"));
    for resource in inside("resources") {
        methods_of(resource, found);
    }
}

/// What stands in a path at the variables of a template, decoded, if it has that form.
fn matched<'a>(template: &'a str, path: &str) -> Option<Vec<(&'a str, String)>> {
    let path = path.strip_prefix('/')?;
    if template.split('/').count() != path.split('/').count() {
        return None;
    }
    let mut variables = Vec::new();
    for (wanted, given) in template.split('/').zip(path.split('/')) {
        let name = wanted.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        match name {
            Some(name) => variables.push((name, decoded(given))),
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(variables)
}

/// What is wrong with the value of a parameter.
fn value_fault(name: &str, value: &str, parameter: &Value) -> Option<String> {
    let said = format!("{name}={value}");
    let bound = |key: &str| {
        parameter[key]
            .as_str()
            .and_then(|it| it.parse::<i64>().ok())
    };
    match parameter["type"].as_str() {
        Some("integer") => {
            let Ok(number) = value.parse::<i32>() else {
                return Some(format!("{said} is no number"));
            };
            let number = i64::from(number);
            if let Some(least) = bound("minimum").filter(|it| number < *it) {
                return Some(format!("{said} is below {least}"));
            }
            if let Some(most) = bound("maximum").filter(|it| number > *it) {
                return Some(format!("{said} is above {most}"));
            }
        }
        Some("boolean") if value != "true" && value != "false" => {
            return Some(format!("{said} is neither true nor false"));
        }
        _ => {}
    }
    let choice = parameter["enum"].as_array();
    if choice.is_some_and(|it| !it.iter().any(|it| it == value)) {
        return Some(format!("{said} is none of the choices"));
    }
    let pattern = parameter["pattern"].as_str()?;
    // `\d` of Unicode is more than the tables at hand know.
    let pattern = pattern.replace(r"\d", "[0-9]");
    let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    (!pattern.is_match(value)).then(|| format!("{said} has another form"))
}
