//! The side-effect catalogue: compiled in, extended by a site's mapping file.

use serde::{Deserialize, Serialize};

/// Index of a side effect in the run's catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(pub u16);

impl EffectId {
    /// The index.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What kind of side effect it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Follows from the treatment itself.
    Expected,
    /// A change of colour.
    Pigment,
    /// Something went wrong.
    Complication,
    /// Added by a site's mapping file.
    Site,
    /// Terms that nobody has coded yet.
    Uncoded,
}

impl Group {
    /// Text for tables.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Group::Expected => "expected",
            Group::Pigment => "pigment",
            Group::Complication => "complication",
            Group::Site => "added by the site",
            Group::Uncoded => "uncoded",
        }
    }
}

/// Which devices can cause it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every device.
    #[default]
    Any,
    /// Only radiofrequency devices.
    Rf,
}

/// A side effect of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideEffect {
    /// Code as it stands in logs and results.
    pub code: String,
    /// Name for people.
    pub label: String,
    /// Short name for charts, where the label is long.
    #[serde(default)]
    pub short: Option<String>,
    /// What people write for it, lower case.
    #[serde(default)]
    pub synonyms: Vec<String>,
    /// Days after the session within which its absence can be believed.
    pub window_days: u32,
    /// Highest grade that the term allows.
    pub grades: u8,
    /// What kind it is.
    pub group: Group,
    /// Which devices can cause it.
    #[serde(default)]
    pub scope: Scope,
}

impl SideEffect {
    /// The name for charts and sentences.
    #[must_use]
    pub fn short_label(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.label)
    }
}

/// The catalogue of a run: the built-in terms, `uncoded`, and what mapping files add.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    effects: Vec<SideEffect>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    side_effect: Vec<SideEffect>,
}

impl Catalogue {
    /// Code under which uncoded terms are counted.
    pub const UNCODED_CODE: &'static str = "uncoded";
    /// Id of `uncoded`: always the first.
    pub const UNCODED: EffectId = EffectId(0);

    /// The compiled-in catalogue. Its text is checked by a test; were it broken, the catalogue would hold `uncoded` only.
    #[must_use]
    pub fn built_in() -> Catalogue {
        let uncoded = SideEffect {
            code: Self::UNCODED_CODE.to_owned(),
            label: "Uncoded terms".to_owned(),
            short: Some("Uncoded".to_owned()),
            synonyms: Vec::new(),
            window_days: 0,
            grades: 5,
            group: Group::Uncoded,
            scope: Scope::Any,
        };
        let file: Result<File, _> = toml::from_str(include_str!("catalogue.toml"));
        let mut effects = vec![uncoded];
        effects.extend(file.map(|file| file.side_effect).unwrap_or_default());
        Catalogue { effects }
    }

    /// Adds a site's term and returns its id; a term whose code is known already keeps its place and is replaced.
    pub fn add(&mut self, effect: SideEffect) -> EffectId {
        if let Some(id) = self.find(&effect.code) {
            self.effects[id.index()] = effect;
            return id;
        }
        self.effects.push(effect);
        EffectId(u16::try_from(self.effects.len() - 1).unwrap_or(u16::MAX))
    }

    /// The side effects beyond the built-in ones, and those that a site has changed.
    #[must_use]
    pub fn of_sites(&self) -> Vec<SideEffect> {
        let built_in = Catalogue::built_in();
        let new = |effect: &&SideEffect| built_in.find(&effect.code).is_none_or(|id| built_in.get(id) != *effect);
        self.effects.iter().filter(new).cloned().collect()
    }

    /// Whether states that one settles are those that the other settles: the same codes in the same order, with the same
    /// windows.
    #[must_use]
    pub fn settles_as(&self, other: &Catalogue) -> bool {
        let told = |catalogue: &Catalogue| -> Vec<(String, u32)> {
            catalogue.effects.iter().map(|effect| (effect.code.clone(), effect.window_days)).collect()
        };
        told(self) == told(other)
    }

    /// Id of a code (not of a synonym).
    #[must_use]
    pub fn find(&self, code: &str) -> Option<EffectId> {
        let at = self.effects.iter().position(|effect| effect.code == code)?;
        u16::try_from(at).ok().map(EffectId)
    }

    /// The side effect of an id of this catalogue.
    #[must_use]
    pub fn get(&self, id: EffectId) -> &SideEffect {
        &self.effects[id.index()]
    }

    /// Ids in order, `uncoded` first.
    pub fn ids(&self) -> impl Iterator<Item = EffectId> + use<> {
        (0..u16::try_from(self.effects.len()).unwrap_or(u16::MAX)).map(EffectId)
    }

    /// Number of terms, `uncoded` included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.effects.len()
    }

    /// Never: `uncoded` is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_catalogue_reads_and_has_each_code_and_synonym_once() {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.len(), 28);
        let mut words: Vec<&str> = catalogue.effects.iter().map(|effect| effect.code.as_str()).collect();
        words.extend(catalogue.effects.iter().flat_map(|effect| effect.synonyms.iter().map(String::as_str)));
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}
