//! Google Workspace, polled over the Directory API of the Admin SDK.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the reads that ask through it come next")
)]
mod api;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the reads that meet them come next")
)]
mod fault;
