//! Which elements an answer is made of (RFC 4511, appendix B, as far as servers speak).
//!
//! It is as strict as the code behind the guard needs it: that code takes the presence, the form and the text of these
//! elements for granted.

use super::GuardFault;
use super::header::Header;
use crate::wire::ldap::ber::{BOOLEAN, ENUMERATED, INTEGER, OCTETS, SEQUENCE, SET};

/// `responseName [10]`, which Active Directory puts behind the operation instead of into it.
const RESPONSE_NAME: u8 = 0x8a;

/// The answers that exist for this program, by their tags.
pub(super) mod operation {
    pub(in super::super) const BIND: u8 = 0x61;
    pub(in super::super) const ENTRY: u8 = 0x64;
    pub(in super::super) const DONE: u8 = 0x65;
    pub(in super::super) const REFERENCE: u8 = 0x73;
    pub(in super::super) const EXTENDED: u8 = 0x78;
    pub(in super::super) const INTERMEDIATE: u8 = 0x79;
}

/// What an open element is, and so what may lie in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Message,
    /// `LDAPResult` with whatever follows it in a bind or extended response.
    Result,
    Entry,
    Attributes,
    Attribute,
    Values,
    /// Of a referral, or a search result reference.
    Addresses,
    Intermediate,
    Controls,
    Control,
    /// Something that a later version of LDAP may have added.
    Other,
}

/// What is to be done with the content of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// It is made of elements.
    Inside(Role),
    /// It may be anything.
    Skipped,
    /// It is looked at.
    Kept(Field),
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The message id.
    Id,
    /// The result code.
    Code,
    /// The name of an extended response.
    Name,
    /// The server's own words.
    Diagnosis,
    /// Any other text.
    Text,
}

/// What an operation is made of.
pub(super) fn operation(tag: u8) -> Result<Role, GuardFault> {
    match tag {
        operation::BIND | operation::DONE | operation::EXTENDED => Ok(Role::Result),
        operation::ENTRY => Ok(Role::Entry),
        operation::REFERENCE => Ok(Role::Addresses),
        operation::INTERMEDIATE => Ok(Role::Intermediate),
        _ => Err(GuardFault::UnknownOperation(tag)),
    }
}

/// What an element is that is the `place`th, counted from 0, in an open one.
pub(super) fn child(role: Role, place: u8, header: Header) -> Result<Content, GuardFault> {
    use Content::{Inside, Kept, Skipped};
    let Header { tag, length, .. } = header;
    let content = match (role, place, tag) {
        (Role::Message, 0, INTEGER) => Kept(Field::Id),
        (Role::Message, 0, _) => return Err(GuardFault::MessageId),
        (Role::Result, 0, ENUMERATED) => Kept(Field::Code),
        (Role::Result, 2, OCTETS) => Kept(Field::Diagnosis),
        (Role::Message, 2, RESPONSE_NAME) | (Role::Result, 3.., RESPONSE_NAME) => Kept(Field::Name),
        // A matched DN, an address, the name of a control.
        (Role::Result, 1, OCTETS) | (Role::Addresses, _, OCTETS) | (Role::Control, 0, OCTETS) => {
            Kept(Field::Text)
        }

        (Role::Message, 2, 0xa0) => Inside(Role::Controls),
        (Role::Controls, _, SEQUENCE) => Inside(Role::Control),
        (Role::Result, 3.., 0xa3) => Inside(Role::Addresses),
        (Role::Entry, 1, SEQUENCE) => Inside(Role::Attributes),
        (Role::Attributes, _, SEQUENCE) => Inside(Role::Attribute),
        (Role::Attribute, 1, SET) => Inside(Role::Values),

        (Role::Control, 1, BOOLEAN) if length != 1 => return Err(GuardFault::Shape(name(role))),
        // The DN, then descriptions and values of attributes; the parts of an intermediate answer and of a control; the
        // credentials of a bind and the value of an extended response.
        (Role::Entry | Role::Attribute, 0, OCTETS)
        | (Role::Values, _, OCTETS)
        | (Role::Intermediate, _, 0x80 | 0x81)
        | (Role::Control, 1, BOOLEAN)
        | (Role::Control, 1 | 2, OCTETS)
        | (Role::Result, 3.., 0x87 | 0x8b) => Skipped,

        (Role::Result, 3.., _) if is_unheard_of(tag) => anything(tag),
        (Role::Other, _, _) => anything(tag),
        _ => return Err(GuardFault::Shape(name(role))),
    };
    Ok(content)
}

/// Refuses an element that ends before everything is there that it must hold.
pub(super) fn complete(role: Role, elements: u8) -> Result<(), GuardFault> {
    let least = match role {
        Role::Result => 3,
        Role::Message | Role::Entry | Role::Attribute => 2,
        Role::Control => 1,
        _ => 0,
    };
    if elements < least {
        return Err(GuardFault::Shape(name(role)));
    }
    Ok(())
}

fn anything(tag: u8) -> Content {
    // The bit says that elements are the content.
    if tag & 0x20 != 0 {
        Content::Inside(Role::Other)
    } else {
        Content::Skipped
    }
}

/// Of the context, and none of those that a result is known to have: 3, 7, 10, 11.
fn is_unheard_of(tag: u8) -> bool {
    tag & 0xc0 == 0x80 && !matches!(tag & 0x1f, 3 | 7 | 10 | 11)
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Message | Role::Other => "a message",
        Role::Result => "a result",
        Role::Entry | Role::Attributes => "an entry",
        Role::Attribute | Role::Values => "an attribute",
        Role::Addresses => "a reference to other servers",
        Role::Intermediate => "an intermediate answer",
        Role::Controls | Role::Control => "a control",
    }
}
