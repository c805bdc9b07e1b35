//! What a search for loops compares: records that appeared in a directory, and accounts that were made here.

/// A user record that a directory did not have before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Appeared<'a> {
    /// The stable id.
    pub id: &'a str,
    /// The folded username.
    pub key: &'a str,
}

/// An account that was made here and is there still.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MadeAccount {
    /// The id of the application's entry.
    pub application: String,
    /// The folded name.
    pub key: String,
    /// The id of the directory's entry whose user it is for.
    pub directory: String,
    /// The stable id of that user, where the application holds it; else empty.
    pub external_id: String,
}
