//! One group's memberships written piece by piece: a group of everybody need not stand in memory as text.

use super::super::xml::write_text;

/// Begins a group; its direct users follow.
pub fn begin_group(group: &str, out: &mut Vec<u8>) {
    out.extend(b"<membership group=\"");
    write_text(group, out);
    out.extend(b"\"><users>");
}

/// Writes a direct user.
pub fn write_user(name: &str, out: &mut Vec<u8>) {
    write_named(b"<user name=\"", name, out);
}

/// Ends the users; the child groups follow.
pub fn end_users(out: &mut Vec<u8>) {
    out.extend(b"</users><groups>");
}

/// Writes a child group.
pub fn write_child(name: &str, out: &mut Vec<u8>) {
    write_named(b"<group name=\"", name, out);
}

/// Ends the group.
pub fn end_group(out: &mut Vec<u8>) {
    out.extend(b"</groups></membership>");
}

fn write_named(tag: &[u8], name: &str, out: &mut Vec<u8>) {
    out.extend(tag);
    write_text(name, out);
    out.extend(b"\"/>");
}
