//! Records handed in once more, as a connector would: when changes are merged into them, and where nobody can say what they are
//! now.

use crate::model::{NewGroup, NewUser, Records, RecordsBuilder, Rejected};

impl Records {
    /// One user as a connector would hand it in.
    pub fn raw_user(&self, index: u32) -> NewUser<'_> {
        let it = &self.users[index as usize];
        let extra = self.extra_of(index);
        let extra = extra.map(|it| (self.text(it.1), vec![self.text(it.2)]));
        NewUser {
            id: self.text(it.id),
            username: self.text(it.username),
            display_name: self.text(it.display_name),
            given_name: self.text(it.given_name),
            family_name: self.text(it.family_name),
            email: self.text(it.email),
            handle: self.text(it.handle),
            status: it.status,
            kind: it.kind,
            unknown: it.unknown,
            label: "",
            extra: extra.collect(),
        }
    }

    /// One group as a connector would hand it in, without its members.
    pub fn raw_group(&self, index: u32) -> NewGroup<'_> {
        let it = &self.groups[index as usize];
        NewGroup {
            id: self.text(it.id),
            name: self.text(it.name),
            description: self.text(it.description),
            handle: self.text(it.handle),
            unknown: it.unknown,
            label: "",
        }
    }

    /// Rejects one of the rejected records again, for the reason that it was rejected for.
    pub fn reject_again(&self, it: &Rejected, builder: &mut RecordsBuilder) {
        let text = |id| self.text(id);
        builder.reject(
            it.what,
            text(it.id),
            text(it.key),
            text(it.handle),
            text(it.label),
            text(it.reason),
        );
    }
}
