//! The descriptions at the head of a SAS transport file: which variables a dataset has, and where their bytes stand.

use super::value::Meaning;

/// Everything is cut into cards of this length.
pub(super) const CARD: usize = 80;
/// Longest observation that is read.
const LONGEST_ROW: usize = 16 << 20;
const MEMBER: &[u8] = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!";
const DESCRIPTOR: &[u8] = b"HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!";
const VARIABLES: &[u8] = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!";
const OBSERVATIONS: &[u8] = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!";
const LIBRARY: &[u8] = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!";

/// What a card is the head of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    Library,
    /// A library of version 8.
    LibraryV8,
    /// A file of PROC CPORT.
    Cport,
    /// A dataset, whose variables are described in so many bytes each.
    Member(usize),
    Descriptor,
    /// So many variables.
    Variables(usize),
    Observations,
    Other,
}

impl Head {
    pub(super) fn of(card: &[u8]) -> Head {
        match card {
            _ if card.starts_with(LIBRARY) => Head::Library,
            _ if card.starts_with(b"HEADER RECORD*******LIBV8") => Head::LibraryV8,
            _ if card.starts_with(b"**COMPRESSED**") => Head::Cport,
            _ if card.starts_with(MEMBER) => Head::Member(digits(card, 74, 78)),
            _ if card.starts_with(DESCRIPTOR) => Head::Descriptor,
            _ if card.starts_with(VARIABLES) => Head::Variables(digits(card, 54, 58)),
            _ if card.starts_with(OBSERVATIONS) => Head::Observations,
            _ => Head::Other,
        }
    }
}

fn digits(card: &[u8], from: usize, to: usize) -> usize {
    let text = card.get(from..to).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// A variable of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// What its numbers mean; `None` = it holds text.
    pub(super) meaning: Option<Meaning>,
    pub(super) start: usize,
    pub(super) length: usize,
}

/// Variables of a dataset and the length of an observation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    pub(super) variables: Vec<Variable>,
    pub(super) row: usize,
}

impl Layout {
    /// Reads the descriptions, of `size` bytes each; `None` where they contradict themselves.
    pub(super) fn of(descriptions: &[u8], size: usize) -> Option<Layout> {
        let variables: Option<Vec<Variable>> = descriptions.chunks_exact(size).map(variable).collect();
        let variables = variables?;
        let row = variables.iter().map(|variable| variable.length).sum();
        let fits = |variable: &Variable| variable.start + variable.length <= row;
        (row > 0 && row <= LONGEST_ROW && variables.iter().all(fits)).then_some(Layout { variables, row })
    }
}

fn variable(description: &[u8]) -> Option<Variable> {
    let short = |at: usize| Some(u16::from_be_bytes(description.get(at..at + 2)?.try_into().ok()?));
    let start = u32::from_be_bytes(description.get(84..88)?.try_into().ok()?);
    let length = usize::from(short(4)?);
    let meaning = match short(0)? {
        1 if (2..=8).contains(&length) => Some(Meaning::of(&latin(description.get(56..64)?))),
        2 if length > 0 => None,
        _ => return None,
    };
    let name = latin(description.get(8..16)?);
    Some(Variable { name, meaning, start: usize::try_from(start).ok()?, length })
}

/// Names and formats are ASCII, padded with spaces (some programs pad with NUL).
pub(super) fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect::<String>().trim_matches(['\0', ' ']).to_owned()
}
