//! The jobs: reading one directory, and pushing one application. Only the store lies between them.
//!
//! [`read`] fetches, judges and commits the records of one directory. [`push`] pins the accepted records of an application's
//! directories, plans, and has [`execute`] walk the plan. Both are thin: what is decided is decided in
//! [`reconcile`](crate::reconcile). A dry run is not calling the writing half: it fetches, and plans by a [`survey`]. What of the store others may see says
//! [`served`].

mod execute;
mod load;
mod loops;
mod outcome;
mod parts;
pub mod push;
pub mod read;
pub mod served;
pub mod survey;
mod tell;

pub use load::standing;
pub use outcome::{Pushed, Read};
pub use parts::{ApplicationPart, DirectoryPart};
pub(crate) use tell::is_blocked;
