//! `knack`: see `knack --help`.

/// A node, and a simulated one, allocates a lot that is small and short-lived; the allocator of glibc took a fifth of the time of both.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    knackmesh::cli::main()
}
