//! What requests refer to, where no daemon is asked: containers that have nothing of the host, and no volumes.

pub(crate) use dockgate::decision::ordinary_facts as facts;
