//! Whether a password is a person's.

use secrecy::{ExposeSecret as _, SecretString};

use super::session::Session;
use super::{CrowdFault, Who};
use crate::http::Method;
use crate::wire::crowd::{User, body, json};

impl Session {
    /// Tries the password of a person, once, and gives back whom it let in.
    ///
    /// # Errors
    /// [`CrowdFault::Refused`] with the reason why nobody was let in: `INVALID_USER_AUTHENTICATION`, `INACTIVE_ACCOUNT`,
    /// `EXPIRED_CREDENTIAL`, `USER_NOT_FOUND`. Any other fault says nothing of the password.
    pub async fn authenticate(
        &self,
        username: &str,
        password: &SecretString,
    ) -> Result<User, CrowdFault> {
        let operation = "try a password";
        let query = [Who::Name(username).parameter()];
        let body = body::password(password.expose_secret());
        let sent = self.send(
            operation,
            Method::POST,
            "/authentication",
            &query,
            Some(body),
        );
        let user = json::read_user(&sent.await?);
        user.map_err(|it| CrowdFault::Unreadable(format!("{operation}: {it}")))
    }
}
