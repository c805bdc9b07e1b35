//! The calls that change something, one function each; no policy. The body of an answer is given back where it may tell more.
//!
//! A firewall that takes offence at one name and a server that lacks one call answer as if nobody were let in, or nothing were
//! there. That is about one change and must not stop the others, so every call here is told from that.

use serde_json::Value;

use crate::client::crowd::{CrowdFault, Session, Who};
use crate::http::Method;
use crate::wire::crowd::body;

/// Who makes the changes.
#[derive(Clone, Debug)]
pub(super) struct Api {
    session: Session,
}

type Done<T> = Result<T, CrowdFault>;

impl Api {
    pub(super) fn new(session: Session) -> Api {
        Api { session }
    }

    /// A user with all attributes, in JSON.
    pub(super) async fn user(&self, who: Who<'_>) -> Done<Option<Vec<u8>>> {
        let found = self.session.user(who).await;
        self.session.settle(found).await
    }

    /// A group with all attributes, in JSON.
    pub(super) async fn group(&self, name: &str) -> Done<Option<Vec<u8>>> {
        let found = self.session.group(name).await;
        self.session.settle(found).await
    }

    /// Servers may show what they made, or answer with nothing.
    pub(super) async fn create_user(&self, user: Vec<u8>) -> Done<Vec<u8>> {
        self.send("create a user", Method::POST, "/user", &[], Some(user))
            .await
    }

    /// Everything that the body does not name is emptied.
    pub(super) async fn replace_user(&self, name: &str, user: &Value) -> Done<()> {
        let query = [("username", name)];
        let body = Some(user.to_string().into_bytes());
        let done = self.send("update a user", Method::PUT, "/user", &query, body);
        done.await.map(drop)
    }

    /// Memberships follow.
    pub(super) async fn rename_user(&self, old: &str, new: &str) -> Done<()> {
        let query = [("username", old)];
        let body = Some(body::new_name(new));
        let done = self.send("rename a user", Method::POST, "/user/rename", &query, body);
        done.await.map(drop)
    }

    pub(super) async fn delete_user(&self, name: &str) -> Done<()> {
        let query = [("username", name)];
        let done = self.send("delete a user", Method::DELETE, "/user", &query, None);
        done.await.map(drop)
    }

    /// Servers may show what they made, or answer with nothing.
    pub(super) async fn create_group(&self, group: Vec<u8>) -> Done<Vec<u8>> {
        self.send("create a group", Method::POST, "/group", &[], Some(group))
            .await
    }

    /// Everything that the body does not name is emptied.
    pub(super) async fn replace_group(&self, name: &str, group: &Value) -> Done<()> {
        let query = [("groupname", name)];
        let body = Some(group.to_string().into_bytes());
        let done = self.send("update a group", Method::PUT, "/group", &query, body);
        done.await.map(drop)
    }

    pub(super) async fn delete_group(&self, name: &str) -> Done<()> {
        let query = [("groupname", name)];
        let done = self.send("delete a group", Method::DELETE, "/group", &query, None);
        done.await.map(drop)
    }

    pub(super) async fn give_member(&self, group: &str, user: &str) -> Done<()> {
        let query = [("groupname", group)];
        let body = Some(body::name(user));
        let path = "/group/user/direct";
        let done = self.send("give a group a member", Method::POST, path, &query, body);
        done.await.map(drop)
    }

    pub(super) async fn take_member(&self, group: &str, user: &str) -> Done<()> {
        let query = [("groupname", group), ("username", user)];
        let path = "/group/user/direct";
        let operation = "take a member from a group";
        let done = self.send(operation, Method::DELETE, path, &query, None);
        done.await.map(drop)
    }

    pub(super) async fn give_child(&self, parent: &str, child: &str) -> Done<()> {
        let query = [("groupname", parent)];
        let body = Some(body::name(child));
        let path = "/group/child-group/direct";
        let operation = "put a group into a group";
        let done = self.send(operation, Method::POST, path, &query, body);
        done.await.map(drop)
    }

    pub(super) async fn take_child(&self, parent: &str, child: &str) -> Done<()> {
        let query = [("groupname", parent), ("child-groupname", child)];
        let path = "/group/child-group/direct";
        let operation = "take a group out of a group";
        let done = self.send(operation, Method::DELETE, path, &query, None);
        done.await.map(drop)
    }

    async fn send(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Done<Vec<u8>> {
        let sent = self.session.send(operation, method, path, query, body);
        let sent = sent.await;
        self.session.settle(sent).await
    }
}
