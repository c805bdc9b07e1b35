//! The jobs over a directory and an application in memory, a clock that is moved by hand and a real store: what is done,
//! what is put off, and what is found again after it was cut off.

mod approvals;
mod crowd;
mod cuts;
mod pushes;
mod reads;
mod served;
mod world;
