//! What a server's password policy says beside the answer to a login (draft-behera-ldap-password-policy-11, section 6.2).
//!
//! OpenLDAP's `ppolicy`, 389 Directory Server and others answer a refused login with "invalid credentials" whatever the reason,
//! and say the reason in this control; a password that must be changed may even be a success.

use super::ber::{self, NotBer, Reader};

/// The name of the control, of the request and of the answer alike.
pub const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// `warning [0]`: when the password will expire.
const WARNING: u8 = 0xa0;
/// `error [1]`: what stands against the login.
const ERROR: u8 = 0x81;

/// What stands against a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The password has expired.
    Expired,
    /// The account is locked, by too many wrong passwords or by an administrator.
    Locked,
    /// The password was set by somebody else and must be changed first.
    MustChange,
}

/// Reads the value of the control. What the policy says of changes of passwords is no objection to a login.
///
/// # Errors
/// It is not such a value.
pub fn objection(value: &[u8]) -> Result<Option<Objection>, NotBer> {
    let mut outer = Reader::new(value);
    let mut inner = Reader::new(outer.expect(ber::SEQUENCE)?);
    inner.optional(WARNING)?;
    let Some(error) = inner.optional(ERROR)? else {
        return Ok(None);
    };
    Ok(match ber::integer(error)? {
        0 => Some(Objection::Expired),
        1 => Some(Objection::Locked),
        2 => Some(Objection::MustChange),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objection_is_read_with_and_without_a_warning() {
        #[track_caller]
        fn check(value: &[u8], expect: Result<Option<Objection>, NotBer>) {
            assert_eq!(objection(value), expect, "{value:02x?}");
        }
        check(b"\x30\x00", Ok(None));
        check(b"\x30\x03\x81\x01\x00", Ok(Some(Objection::Expired)));
        check(b"\x30\x03\x81\x01\x01", Ok(Some(Objection::Locked)));
        check(b"\x30\x03\x81\x01\x02", Ok(Some(Objection::MustChange)));
        check(b"\x30\x03\x81\x01\x06", Ok(None));
        let grace = b"\x30\x05\xa0\x03\x81\x01\x02";
        check(grace, Ok(None));
        let both = b"\x30\x08\xa0\x03\x80\x01\x0a\x81\x01\x02";
        check(both, Ok(Some(Objection::MustChange)));
        for broken in [
            &b""[..],
            b"\x30",
            b"\x30\x02\x81\x01",
            b"\x30\x02\x81\x00",
            b"\x04\x03\x81\x01\x01",
        ] {
            check(broken, Err(NotBer));
        }
    }
}
