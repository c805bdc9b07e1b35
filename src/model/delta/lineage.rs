//! Where merged records come from, for those who would else have to find out by comparing all of them.

use crate::model::delta::Delta;
use crate::model::{Gap, Records};

/// How records came out of others by a delta. Places are indices into the lists of users, groups and references; whatever
/// stays keeps its order, and a text that stays keeps its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// For each user its old place, or [`NONE`](crate::model::NONE) if it came.
    pub users: Vec<u32>,
    /// For each group likewise.
    pub groups: Vec<u32>,
    /// For each reference likewise.
    pub references: Vec<u32>,
    /// New places of the users that came or differ from what they were.
    pub changed_users: Vec<u32>,
    /// New places of the groups that came or differ in a field of their own.
    pub changed_groups: Vec<u32>,
    /// Old places of the users that are gone, rising.
    pub gone_users: Vec<u32>,
    /// Old places of the groups that are gone, rising.
    pub gone_groups: Vec<u32>,
    /// New places of the groups whose members may be others, rising.
    pub refilled: Vec<u32>,
}

impl Records {
    /// What [`Records::merged`] gives, the quick way where there is one, and then also where everything comes from.
    ///
    /// # Errors
    /// [`Gap`] when the delta names what these records lack.
    pub fn merge(&self, delta: &Delta) -> Result<(Records, Option<Lineage>), Gap> {
        match self.patched(delta) {
            Some((records, lineage)) => Ok((records, Some(lineage))),
            None => Ok((self.merged(delta)?, None)),
        }
    }
}
