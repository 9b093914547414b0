//! `knack`: see `knack --help`.

fn main() -> std::process::ExitCode {
    knackmesh::cli::main()
}
