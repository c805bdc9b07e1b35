//! A check of what an LDAP server sends, while it passes: nothing is kept but where it stands in the present message.
//!
//! The LDAP library behind it parses messages by recursion, allocates before it checks, waits for ever for a length that
//! cannot come, and panics at parts that are missing. So no byte reaches it that was not found to be part of a sound
//! answer to a question that was asked. Contents of values are passed over by their lengths, so that the work is a few
//! steps a value, whatever its size.

mod fault;
mod grammar;
mod header;
mod questions;
#[cfg(test)]
mod tests;

pub use self::fault::GuardFault;

use self::grammar::{Content, Field, Role, operation};
use self::header::{HEADER_MAX, Header};
use self::questions::{Questions, number};
use super::ber::SEQUENCE;

/// How deep elements may lie in one another. The deepest known answer takes six.
const DEPTH_MAX: usize = 16;
/// The longest text that is looked at: a DN, an address, the server's own words.
const TEXT_MAX: u32 = 64 * 1024;
/// The name of a notice of disconnection (RFC 4511, section 4.4.1).
const DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";
/// The tags that a TLS record begins with, where it is not data: an alert, a handshake.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];

/// How much a server may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardLimits {
    /// Bytes of one message.
    pub message: u64,
    /// Bytes in all.
    pub total: u64,
    /// Elements of one message; each takes some dozen bytes of memory, however short it is.
    pub elements: u32,
}

/// The check of one connection.
#[derive(Debug)]
pub struct Guard {
    limits: GuardLimits,
    questions: Questions,
    fault: Option<GuardFault>,
    total: u64,
    items: u64,
    /// The open elements, from the message inwards.
    frames: [Frame; DEPTH_MAX],
    depth: usize,
    /// The beginning of a header that is not all there.
    header: [u8; HEADER_MAX],
    header_size: usize,
    /// How much content of the present element is still to come, and what it is looked at for.
    content: u32,
    field: Option<Field>,
    kept: Vec<u8>,
    message: Message,
    answer: Answer,
}

/// The result that a server gave to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The result code (RFC 4511, appendix A).
    pub code: u32,
    /// The server's own words.
    pub text: String,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    role: Role,
    /// How many bytes of it are still to come.
    left: u32,
    /// How many elements of it began, up to 255.
    elements: u8,
}

/// What is known of the present message, or of the last one.
#[derive(Debug, Default)]
struct Message {
    elements: u32,
    id: u32,
    operation: u8,
    answer: Answer,
    name: String,
}

impl Default for GuardLimits {
    /// Room for a group of a million members in one message, and for a million users with five million memberships.
    fn default() -> Self {
        GuardLimits {
            message: 64 << 20,
            total: 8 << 30,
            elements: 2_000_000,
        }
    }
}

impl Guard {
    /// A guard of a connection on which nothing was said.
    pub fn new(limits: GuardLimits) -> Self {
        const NONE: Frame = Frame {
            role: Role::Message,
            left: 0,
            elements: 0,
        };
        Guard {
            limits,
            questions: Questions::default(),
            fault: None,
            total: 0,
            items: 0,
            frames: [NONE; DEPTH_MAX],
            depth: 0,
            header: [0; HEADER_MAX],
            header_size: 0,
            content: 0,
            field: None,
            kept: Vec::new(),
            message: Message::default(),
            answer: Answer::default(),
        }
    }

    /// Takes note of what the client sends, so that its answers are awaited. Must be called before it is sent.
    pub fn asked(&mut self, bytes: &[u8]) {
        self.questions.sent(bytes);
    }

    /// Checks the next bytes of the server, in pieces of any size.
    ///
    /// # Errors
    /// [`GuardFault`]: these bytes must not be passed on. It stays so.
    pub fn check(&mut self, bytes: &[u8]) -> Result<(), GuardFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let taken = (self.limits.total - self.total).min(bytes.len() as u64);
        self.total += taken;
        let mut checked = self.walk(&bytes[..taken as usize]);
        if checked.is_ok() && taken < bytes.len() as u64 {
            checked = Err(GuardFault::TotalSize(self.limits.total));
        }
        if let Err(fault) = &checked {
            self.fault = Some(fault.clone());
        }
        checked
    }

    /// Whether the bytes so far end with a message.
    pub fn is_between_messages(&self) -> bool {
        self.depth == 0 && self.header_size == 0
    }

    /// Whether no question is open.
    pub fn is_answered(&self) -> bool {
        self.questions.are_none()
    }

    /// How many bytes were checked.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many answers to searches were complete so far: entries, references, intermediate answers and ends.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// The result of the question that was answered last.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    fn walk(&mut self, mut bytes: &[u8]) -> Result<(), GuardFault> {
        while !bytes.is_empty() {
            let passed = if self.content > 0 {
                self.pass(bytes)?
            } else {
                self.begin(bytes)?
            };
            bytes = &bytes[passed..];
        }
        Ok(())
    }

    /// Passes content; answers how many bytes.
    fn pass(&mut self, bytes: &[u8]) -> Result<usize, GuardFault> {
        let passed = (self.content as usize).min(bytes.len());
        if self.field.is_some() {
            self.kept.extend_from_slice(&bytes[..passed]);
        }
        self.content -= passed as u32;
        if self.content == 0 {
            self.end_content()?;
        }
        Ok(passed)
    }

    /// Reads a header, or one byte more of it where it is cut; answers how many bytes.
    fn begin(&mut self, bytes: &[u8]) -> Result<usize, GuardFault> {
        let left = match self.depth {
            0 => HEADER_MAX,
            depth => self.frames[depth - 1].left as usize,
        };
        if self.header_size == 0 {
            if self.depth == 0 && bytes[0] != SEQUENCE {
                return Err(not_ldap(bytes[0]));
            }
            if let Some(header) = Header::read(&bytes[..left.min(bytes.len())])? {
                self.element(header)?;
                return Ok(usize::from(header.size));
            }
        }
        self.header[self.header_size] = bytes[0];
        self.header_size += 1;
        let header = Header::read(&self.header[..self.header_size])?;
        if let Some(header) = header {
            self.header_size = 0;
            self.element(header)?;
        } else if self.header_size >= left {
            return Err(GuardFault::InnerLength);
        }
        Ok(1)
    }

    /// Opens the element that a header announces.
    fn element(&mut self, header: Header) -> Result<(), GuardFault> {
        if self.depth == 0 {
            return self.begin_message(header);
        }
        let frame = &mut self.frames[self.depth - 1];
        let size = u64::from(header.size) + u64::from(header.length);
        if size > u64::from(frame.left) {
            return Err(GuardFault::InnerLength);
        }
        frame.left -= size as u32;
        let (role, place) = (frame.role, frame.elements);
        frame.elements = place.saturating_add(1);
        self.message.elements += 1;
        if self.message.elements > self.limits.elements {
            return Err(GuardFault::Elements(self.limits.elements));
        }
        let content = if role == Role::Message && place == 1 {
            Content::Inside(self.operation(header.tag)?)
        } else {
            grammar::child(role, place, header)?
        };
        match content {
            Content::Inside(role) => self.open(role, header.length),
            Content::Skipped => self.take(header.length, None),
            Content::Kept(field) => self.take(header.length, Some(field)),
        }
    }

    fn begin_message(&mut self, header: Header) -> Result<(), GuardFault> {
        let (bytes, limit) = (u64::from(header.length), self.limits.message);
        if bytes > limit {
            return Err(GuardFault::MessageSize { bytes, limit });
        }
        self.message = Message::default();
        self.open(Role::Message, header.length)
    }

    /// What the operation of the present message is made of, if it answers a question.
    fn operation(&mut self, tag: u8) -> Result<Role, GuardFault> {
        let role = grammar::operation(tag)?;
        let Message { id, .. } = self.message;
        self.message.operation = tag;
        // What a server says unasked, and what it says in place of an answer, is judged when it is complete.
        let extended = tag == operation::EXTENDED && (id == 0 || self.questions.is_search(id));
        if extended || self.questions.await_answer(id, tag) {
            Ok(role)
        } else {
            Err(GuardFault::Unasked(tag))
        }
    }

    fn open(&mut self, role: Role, length: u32) -> Result<(), GuardFault> {
        let frame = self.frames.get_mut(self.depth).ok_or(GuardFault::Depth)?;
        *frame = Frame {
            role,
            left: length,
            elements: 0,
        };
        self.depth += 1;
        self.close()
    }

    fn take(&mut self, length: u32, field: Option<Field>) -> Result<(), GuardFault> {
        if let Some(field) = field {
            bound(field, length)?;
            self.kept.clear();
        }
        self.field = field;
        self.content = length;
        if length == 0 {
            return self.end_content();
        }
        Ok(())
    }

    fn end_content(&mut self) -> Result<(), GuardFault> {
        if let Some(field) = self.field.take() {
            self.look_at(field)?;
        }
        self.close()
    }

    fn look_at(&mut self, field: Field) -> Result<(), GuardFault> {
        let text = |of| str::from_utf8(&self.kept).map_err(|_| GuardFault::NotText(of));
        match field {
            Field::Id => self.message.id = number(&self.kept),
            Field::Code => self.message.answer.code = number(&self.kept),
            Field::Name => text("a name")?.clone_into(&mut self.message.name),
            Field::Diagnosis => {
                text("a message for people")?.clone_into(&mut self.message.answer.text);
            }
            Field::Text => {
                text("a name")?;
            }
        }
        // The highest bit would make it a negative one.
        if field == Field::Id && self.message.id > i32::MAX as u32 {
            return Err(GuardFault::MessageId);
        }
        Ok(())
    }

    /// Closes every element that ends here.
    fn close(&mut self) -> Result<(), GuardFault> {
        while self.depth > 0 && self.frames[self.depth - 1].left == 0 {
            let Frame { role, elements, .. } = self.frames[self.depth - 1];
            grammar::complete(role, elements)?;
            self.depth -= 1;
            if self.depth == 0 {
                self.end_message()?;
            }
        }
        Ok(())
    }

    fn end_message(&mut self) -> Result<(), GuardFault> {
        let Message { id, operation, .. } = self.message;
        if self.questions.is_search(id) {
            self.items += 1;
        }
        if operation == operation::EXTENDED {
            self.end_extended()?;
        }
        let result = matches!(
            operation,
            operation::BIND | operation::DONE | operation::EXTENDED
        );
        // What has the id 0 answers nothing.
        if result && id != 0 {
            self.questions.ended(id);
            self.answer = std::mem::take(&mut self.message.answer);
        }
        Ok(())
    }

    fn end_extended(&mut self) -> Result<(), GuardFault> {
        let Message { id, name, .. } = &self.message;
        let Answer { code, text } = self.message.answer.clone();
        if *id == 0 && name == DISCONNECTION {
            return Err(GuardFault::Disconnected { code, text });
        }
        if self.questions.is_search(*id) {
            return Err(GuardFault::ExtendedResponse { code, text });
        }
        // Other notices are nothing to us (RFC 4511, section 4.4), and nobody awaits them.
        Ok(())
    }
}

fn not_ldap(byte: u8) -> GuardFault {
    if TLS_RECORDS.contains(&byte) {
        GuardFault::Tls
    } else {
        GuardFault::NotLdap(byte)
    }
}

/// Refuses what is looked at and is longer than it can be.
fn bound(field: Field, length: u32) -> Result<(), GuardFault> {
    match field {
        Field::Id if !(1..=4).contains(&length) => Err(GuardFault::MessageId),
        Field::Code if !(1..=4).contains(&length) => Err(GuardFault::Shape("a result")),
        Field::Name | Field::Diagnosis | Field::Text if length > TEXT_MAX => {
            Err(GuardFault::TextSize("a name or a message"))
        }
        _ => Ok(()),
    }
}
