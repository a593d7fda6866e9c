//! Arguments in, exit code out.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// With the system's own, a create spends a third of its time on allocating.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    dockgate::command::run()
}
