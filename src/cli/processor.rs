//! Whether the processor can run this program: it is built for AVX2 (`.cargo/config.toml`), without which it would end
//! in an illegal instruction and no word.

/// What to say where the processor lacks AVX2; nothing where it has it, or where nobody can tell.
pub(super) fn unfit() -> Option<&'static str> {
    if !cfg!(target_feature = "avx2") {
        return None;
    }
    let told = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    lacks_avx2(&told).then_some(
        "error: this build of stipple needs a processor with AVX2, which this machine does not offer\n\
         hint: build it here without .cargo/config.toml, or take another machine (x86-64 of 2013 or later)",
    )
}

/// Reads what Linux tells of its processors.
fn lacks_avx2(told: &str) -> bool {
    let flags = told.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|flags| !flags.split_whitespace().any(|flag| flag == "avx2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_judged_by_its_flags() {
        assert!(lacks_avx2("processor\t: 0\nflags\t\t: fpu sse4_2 avx\nbugs\t\t:\n"));
        assert!(!lacks_avx2("processor\t: 0\nflags\t\t: fpu avx avx2\n"));
        assert!(!lacks_avx2("no word of it"));
    }
}
