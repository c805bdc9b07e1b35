//! Clients of services that more than one connector asks: how a service is asked, and what its answers say. No policy and no
//! decision about anybody's account: those are the connectors', which never use one another.

pub mod crowd;
