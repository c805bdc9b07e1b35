//! From a holding to an image.

use super::{GroupRow, Image, UserRow, digest};
use crate::model::{Account, AppGroup, Csr, Holding, Link, Membership, NONE, Pool, StrId};
use crate::text::fold;

impl Image {
    /// The image of everything in a holding that is there and linked. What nobody answers for is not served.
    pub fn of(holding: &Holding) -> Image {
        let mut builder = Builder {
            holding,
            pool: Pool::default(),
            directory: (StrId::EMPTY, StrId::EMPTY),
        };
        let (users, user_now) = builder.users();
        let (groups, group_now) = builder.groups();
        let rows = groups.len();
        let members = edges(holding, rows, (&group_now, &user_now), |it| &it.members);
        let children = edges(holding, rows, (&group_now, &group_now), |it| &it.children);
        let mut pool = builder.pool;
        pool.shrink();
        let mut by_key: Vec<u32> = (0..users.len() as u32).collect();
        by_key.sort_by(|&a, &b| {
            let key = |at: u32| pool.get(users[at as usize].key);
            key(a).cmp(key(b))
        });
        let mut image = Image {
            groups_of: members.transpose(users.len()),
            parents: children.transpose(rows),
            pool,
            users,
            by_key,
            groups,
            members,
            children,
            digest: String::new(),
        };
        image.digest = digest::of(&image);
        image
    }
}

/// Copies text into the image's own pool, so that a holding's memory can go.
struct Builder<'a> {
    holding: &'a Holding,
    pool: Pool,
    /// The directory last seen, in the holding's pool and in ours: most users have the same one as their neighbour.
    directory: (StrId, StrId),
}

impl Builder<'_> {
    /// The users, sorted, and the place of each account among them.
    fn users(&mut self) -> (Vec<UserRow>, Vec<u32>) {
        let accounts = &self.holding.accounts;
        let served = |it: &&Account| it.exists && it.link.is_some();
        let order = self.sorted(accounts.len(), |at| {
            Some(&accounts[at]).filter(served).map(|it| it.seen.name)
        });
        let mut now = vec![NONE; accounts.len()];
        let mut users = Vec::with_capacity(order.len());
        for (folded, at) in order {
            if let Some(link) = &accounts[at].link {
                now[at] = users.len() as u32;
                users.push(self.user(&folded, &accounts[at], link));
            }
        }
        (users, now)
    }

    fn user(&mut self, folded: &str, account: &Account, link: &Link) -> UserRow {
        let seen = &account.seen;
        let name = self.copy(seen.name);
        UserRow {
            folded: self.folded(folded, name),
            name,
            key: if account.seen.name_is_id(&self.holding.pool) {
                name
            } else {
                self.copy(seen.remote_id)
            },
            given_name: self.copy(seen.given_name),
            family_name: self.copy(seen.family_name),
            display_name: self.copy(seen.display_name),
            email: self.copy(seen.email),
            directory: self.directory(link.directory),
            user_id: self.copy(link.user_id),
            active: seen.active,
        }
    }

    /// The groups, sorted, and the place of each of the holding's among them.
    fn groups(&mut self) -> (Vec<GroupRow>, Vec<u32>) {
        let groups = &self.holding.groups;
        let served = |it: &&AppGroup| it.exists && it.link.is_some();
        let order = self.sorted(groups.len(), |at| {
            Some(&groups[at]).filter(served).map(|it| it.seen.name)
        });
        let mut now = vec![NONE; groups.len()];
        let mut rows = Vec::with_capacity(order.len());
        for (folded, at) in order {
            now[at] = rows.len() as u32;
            let name = self.copy(groups[at].seen.name);
            rows.push(GroupRow {
                folded: self.folded(&folded, name),
                name,
                description: self.copy(groups[at].seen.description),
            });
        }
        (rows, now)
    }

    /// The places of those that have a name to be served under, by folded name.
    fn sorted(&self, places: usize, name: impl Fn(usize) -> Option<StrId>) -> Vec<(String, usize)> {
        let text = |at: usize| Some((fold(self.holding.text(name(at)?)), at));
        let mut order: Vec<_> = (0..places).filter_map(text).collect();
        order.sort_unstable();
        order
    }

    fn copy(&mut self, id: StrId) -> StrId {
        self.pool.add(self.holding.text(id))
    }

    fn folded(&mut self, folded: &str, name: StrId) -> StrId {
        if self.pool.get(name) == folded {
            return name;
        }
        self.pool.add(folded)
    }

    fn directory(&mut self, id: StrId) -> StrId {
        if self.directory.0 != id {
            self.directory = (id, self.copy(id));
        }
        self.directory.1
    }
}

/// The memberships between what is served, by the places in the image.
fn edges(
    holding: &Holding,
    rows: usize,
    (group_now, member_now): (&[u32], &[u32]),
    of: impl Fn(&AppGroup) -> &Vec<Membership>,
) -> Csr {
    Csr::collect(rows, |emit| {
        for (at, group) in holding.groups.iter().enumerate() {
            let members = of(group).iter().map(|it| member_now[it.place() as usize]);
            for member in members.filter(|&it| it != NONE && group_now[at] != NONE) {
                emit(group_now[at], member);
            }
        }
    })
}
