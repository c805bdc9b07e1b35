//! Logging in: who asks, and whether a password is somebody's.

use ldap3::LdapResult;
use ldap3::controls::RawControl;
use ldap3::exop::WhoAmI;
use ldap3::result::ExopResult;

use super::Session;
use crate::directories::ReadError;
use crate::directories::ldap::fault::{self, Step};
use crate::wire::ldap::policy::PASSWORD_POLICY;

impl Session {
    /// Logs in with a name and a password, neither of them empty: an empty password would make it an anonymous session that
    /// looks like success (RFC 4513, section 5.1.2).
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub(in super::super) async fn bind(
        &mut self,
        dn: &str,
        password: &str,
    ) -> Result<(), ReadError> {
        let what = format!("binding as `{dn}` to {}", self.server);
        if dn.is_empty() || password.is_empty() {
            return Err(fault::anonymous(&what));
        }
        self.ldap.with_timeout(self.timeout);
        let answer = self.ldap.simple_bind(dn, password).await;
        self.bound(&what, answer).await
    }

    /// Logs in as whoever the server's system says that this process is (SASL EXTERNAL).
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub(in super::super) async fn bind_external(&mut self) -> Result<(), ReadError> {
        let what = format!("binding with SASL EXTERNAL to {}", self.server);
        self.ldap.with_timeout(self.timeout);
        let answer = self.ldap.sasl_external_bind().await;
        self.bound(&what, answer).await
    }

    async fn bound(
        &mut self,
        what: &str,
        answer: ldap3::result::Result<LdapResult>,
    ) -> Result<(), ReadError> {
        match answer {
            Ok(result) if result.rc == 0 => Ok(()),
            Ok(result) => Err(fault::refused(Step::Bind, what, &result)),
            Err(error) => Err(self.explain(Step::Bind, what, &error).await),
        }
    }

    /// Logs in as a user, to find out whether this is the user's password, and gives the server's answer whatever its result
    /// code is. The server is asked to say what its password policy has against the account; who knows no policies passes that
    /// over.
    ///
    /// # Errors
    /// The name or the password is empty, or the connection failed: nobody answered.
    pub(in super::super) async fn bind_as_user(
        &mut self,
        dn: &str,
        password: &str,
    ) -> Result<LdapResult, ReadError> {
        let what = self.checking();
        if dn.is_empty() || password.is_empty() {
            return Err(fault::anonymous(&what));
        }
        let policy = RawControl {
            ctype: PASSWORD_POLICY.to_owned(),
            crit: false,
            val: None,
        };
        self.ldap.with_timeout(self.timeout).with_controls(policy);
        match self.ldap.simple_bind(dn, password).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.explain(Step::Bind, &what, &error).await),
        }
    }

    /// What is done where when a user logs in, for messages. It names nobody.
    pub(in super::super) fn checking(&self) -> String {
        format!("checking a password at {}", self.server)
    }

    /// Asks whom the server takes us for (RFC 4532): `dn:cn=reader,dc=x`, empty for nobody.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub(in super::super) async fn who_am_i(&mut self) -> Result<String, ReadError> {
        let what = format!("asking {} who is logged in", self.server);
        let answer = self.ldap.with_timeout(self.timeout).extended(WhoAmI).await;
        match answer {
            Ok(ExopResult(exop, result)) if result.rc == 0 => {
                let name = exop.val.unwrap_or_default();
                Ok(String::from_utf8_lossy(&name).into_owned())
            }
            Ok(ExopResult(_, result)) => Err(fault::refused(Step::Bind, &what, &result)),
            Err(error) => Err(self.explain(Step::Bind, &what, &error).await),
        }
    }
}
