//! From where a read may go on: the server's token, and under which questions it was given.

use serde::{Deserialize, Serialize};

/// What the next read needs to know of the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    /// The server, the application and the attributes that it was made under.
    pub basis: String,
    /// Where the server goes on; opaque.
    pub token: String,
}

impl Cursor {
    /// Reads what [`Cursor::write`] wrote.
    ///
    /// # Errors
    /// Why it does not serve: it is none, or it was made under another basis.
    pub(super) fn read(text: &str, basis: &str) -> Result<Cursor, &'static str> {
        let cursor: Cursor =
            serde_json::from_str(text).map_err(|_| "the last read was made by another version")?;
        if cursor.basis != basis {
            return Err("the configuration has changed since the last read");
        }
        Ok(cursor)
    }

    /// The cursor as text.
    pub(super) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_serves_under_its_own_basis_only() {
        let cursor = Cursor {
            basis: "here".to_owned(),
            token: "t \"1\"".to_owned(),
        };
        let text = cursor.write().unwrap();
        assert_eq!(Cursor::read(&text, "here"), Ok(cursor));
        assert!(
            Cursor::read(&text, "there")
                .unwrap_err()
                .contains("configuration")
        );
        for strange in ["", "1", "{}", "t1"] {
            assert!(
                Cursor::read(strange, "here")
                    .unwrap_err()
                    .contains("version")
            );
        }
    }
}
