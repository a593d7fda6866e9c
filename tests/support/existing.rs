//! What requests refer to, where no daemon is asked: containers and networks that have nothing of the host, no volumes.

pub(crate) use dockgate::decision::ordinary_facts as facts;
