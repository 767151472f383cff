//! One number, with everything that a reader needs to judge it.

/// Declares the statistics: one name, one meaning.
macro_rules! statistics {
    ($($variant:ident = $id:literal : $about:literal),+ $(,)?) => {
        /// What a row's value is. One name, one meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Statistic { $(#[doc = $about] $variant),+ }

        impl Statistic {
            /// Every statistic, in order.
            pub const ALL: &'static [Statistic] = &[$(Statistic::$variant),+];

            /// Name as it stands in `results.csv`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Statistic::$variant => $id),+ }
            }

            /// What it means.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Statistic::$variant => $about),+ }
            }
        }
    };
}

statistics! {
    Count = "count": "how many; `term` says of what",
    Rate = "rate": "share of the denominator with the side effect",
    NotAssessed = "not_assessed": "how many were not assessed for the side effect, beside the rate",
    AssessedShare = "assessed_share": "share of sessions that were assessed for the side effect",
    MissingShare = "missing_share": "share of sessions in which the column named by `term` is missing",
    DesignEffect = "design_effect": "variance of the rate with repeated sessions, over its variance were they independent",
    Icc = "icc": "intraclass correlation of the sessions of one patient",
    Mean = "mean": "mean of the column named by `term`",
    FittedRate = "fitted_rate": "rate that the model with skin tone alone (or the column followed) gives for the level",
    TrendZ = "trend_z": "z of the trend test named by `method`; positive = rises with the level",
    ChiSquare = "chi_square": "chi-square statistic",
    PValue = "p_value": "two-sided p-value of the test named by `method`",
    PAdjusted = "p_adjusted": "p-value adjusted for the size of its family",
    Coefficient = "coefficient": "coefficient of the model term, on the log-odds scale",
    OddsRatio = "odds_ratio": "odds ratio",
    RiskDifference = "risk_difference": "risk in the group less risk in the comparator",
    RiskRatio = "risk_ratio": "risk in the group over risk in the comparator",
    NumberNeededToHarm = "number_needed_to_harm": "patients or sessions for one more side effect",
}

/// One row of `results.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    /// Id of the analysis in the pipeline.
    pub analysis: String,
    /// Kind of the analysis.
    pub kind: &'static str,
    /// Side-effect code or scale id; empty where the row speaks of none.
    pub outcome: String,
    /// `(column, value)` in the order of `by`; empty = everybody. A missing value reads `(missing)`.
    pub group: Vec<(String, String)>,
    /// What the value is.
    pub statistic: Statistic,
    /// Model term, time point, level, grade or test that the value speaks of; empty where there is none.
    pub term: String,
    /// The number; `None` = not estimable (then `warning` says why) or not applicable.
    pub value: Option<f64>,
    /// Lower end of the interval; may be infinite.
    pub low: Option<f64>,
    /// Upper end of the interval; may be infinite.
    pub high: Option<f64>,
    /// Level of the interval, such as 0.95.
    pub level: Option<f64>,
    /// proportion, ratio, log_odds, count, mm, days, …
    pub unit: &'static str,
    /// sessions, patients, rows, …
    pub counted: &'static str,
    /// What the value was made of, above the line.
    pub numerator: Option<f64>,
    /// What the value was made of, below the line.
    pub denominator: Option<f64>,
    /// Method id, as `stipple methods` lists it.
    pub method: &'static str,
    /// Reference group of a contrast.
    pub comparator: String,
    /// Why the value is missing or fragile; `not_estimable: …`.
    pub warning: String,
}

impl ResultRow {
    /// Text of a missing group value.
    pub const MISSING: &'static str = "(missing)";

    /// A row without value: the fields that are left are filled by struct update.
    #[must_use]
    pub fn empty(analysis: &str, kind: &'static str, statistic: Statistic) -> ResultRow {
        ResultRow {
            analysis: analysis.to_owned(),
            kind,
            outcome: String::new(),
            group: Vec::new(),
            statistic,
            term: String::new(),
            value: None,
            low: None,
            high: None,
            level: None,
            unit: "",
            counted: "",
            numerator: None,
            denominator: None,
            method: "",
            comparator: String::new(),
            warning: String::new(),
        }
    }

    /// `column=value` pairs joined by `;`. A `;` or `%` of a value is written `%3B`, `%25`, so that the pairs can be
    /// told apart again.
    #[must_use]
    pub fn group_text(&self) -> String {
        let plain = |value: &str| value.replace('%', "%25").replace(';', "%3B");
        let pairs: Vec<String> =
            self.group.iter().map(|(column, value)| format!("{column}={}", plain(value))).collect();
        pairs.join(";")
    }

    /// `analysis/outcome/group/statistic`, and `/term` behind it where there is a term.
    #[must_use]
    pub fn row_id(&self) -> String {
        let mut id = format!("{}/{}/{}/{}", self.analysis, self.outcome, self.group_text(), self.statistic.id());
        if !self.term.is_empty() {
            id.push('/');
            id.push_str(&self.term);
        }
        id
    }

    /// Value of a group column.
    #[must_use]
    pub fn group_value(&self, column: &str) -> Option<&str> {
        self.group.iter().find(|(name, _)| name == column).map(|(_, value)| value.as_str())
    }
}

impl ResultRow {
    /// The row with a statistic's answer in it.
    #[must_use]
    pub fn with_estimate(mut self, estimate: &crate::stats::Estimate) -> ResultRow {
        self.value = estimate.value;
        self.low = estimate.low;
        self.high = estimate.high;
        self.level = Some(estimate.level);
        self.method = estimate.method;
        self.numerator = estimate.numerator;
        self.denominator = estimate.denominator;
        self.warning = estimate.warning.clone().unwrap_or_default();
        self
    }
}
