//! Hands the arguments to [`stipple::cli`] and returns its exit code.

fn main() -> std::process::ExitCode {
    stipple::cli::main()
}
