//! The reference entries of the regressions.

use crate::stats::methods::Method;

/// The reference of this family, Firth's form included.
pub const METHODS: &[Method] = &[
    Method {
        id: "logistic_ml",
        title: "Logistic regression, errors from the model",
        estimates: "How the odds of the side effect change for one unit of each term, the other terms held fixed; \
                    and the risk predicted for given terms.",
        formula: "ln(p/(1−p)) = x·β; β maximises Σ y·ln p + (n−y)·ln(1−p) (Newton = IRLS); covariance (X'WX)⁻¹ with \
                  W = n·p(1−p); odds ratio exp(β ± z·se); risk with its interval on the log odds",
        source: "McCullagh & Nelder 1989",
        edges: "No events, only events, collinear terms and separation (Albert & Anderson 1984) are named, never \
                given as a huge coefficient.",
        not_for: "Rows that are alike within a cluster (use a robust form); fewer than 10 events per term (use Firth).",
    },
    Method {
        id: "logistic_ml_cr0",
        title: "Logistic regression, cluster-robust errors CR0",
        estimates: "The same odds ratios; the errors allow for rows of one cluster being alike.",
        formula: "V = A⁻¹·(Σ_g u_g·u_g')·A⁻¹, A = X'WX, u_g = Σ x·(y − n·p) over the rows of cluster g; no factor",
        source: "Liang & Zeger 1986; R sandwich vcovCL(type = \"HC0\", cadjust = FALSE)",
        edges: "Fewer than two clusters in all, or that have the term: no interval, and why.",
        not_for: "Under 40 clusters: too narrow.",
    },
    Method {
        id: "logistic_ml_cr1",
        title: "Logistic regression, cluster-robust errors CR1",
        estimates: "The same odds ratios; the errors allow for rows of one cluster being alike.",
        formula: "CR0 × G/(G−1) for G clusters",
        source: "Liang & Zeger 1986; R sandwich vcovCL(type = \"HC0\", cadjust = TRUE)",
        edges: "As CR0.",
        not_for: "Under 40 clusters: still somewhat too narrow.",
    },
    Method {
        id: "logistic_ml_cr1_stata",
        title: "Logistic regression, cluster-robust errors CR1 as in Stata's regress",
        estimates: "The same odds ratios; the errors allow for rows of one cluster being alike.",
        formula: "CR0 × G/(G−1)·(N−1)/(N−k) for G clusters, N trials, k terms",
        source: "Rogers 1993; Stata vce(cluster)",
        edges: "As CR0; no interval when N ≤ k.",
        not_for: "Under 40 clusters: still somewhat too narrow.",
    },
    Method {
        id: "logistic_firth",
        title: "Firth's penalised logistic regression, errors from the model",
        estimates: "The same odds ratios, with the small-sample bias of maximum likelihood taken out; finite also when \
                    a term tells the events apart without error.",
        formula: "β maximises ln L(β) + ½·ln|X'WX|, that is Σ x·(y − n·p + h·(½ − p)) = 0 with the leverages h; \
                  covariance (X'WX)⁻¹ at that β",
        source: "Firth 1993; Kosmidis & Firth 2021; R brglm2 type = \"AS_mean\"",
        edges: "0 events, only events and separation have finite answers; the Wald interval is then poor: use the \
                profile.",
        not_for: "Sums of predicted risks as expected counts: the mean of the predictions is drawn towards a half.",
    },
    Method {
        id: "logistic_firth_profile",
        title: "Firth's penalised logistic regression, profile interval and test",
        estimates: "The same odds ratios; the interval may be lopsided, as the data are when events are rare.",
        formula: "All b with 2·(l*(max) − l*(b)) ≤ χ²₁, l* the penalised log-likelihood, the other terms refitted for \
                  each b; p from 2·(l*(max) − l*(0))",
        source: "Heinze & Schemper 2002; R logistf",
        edges: "An end that is not reached within exp(±700) is infinite, and said so.",
        not_for: "Rows that are alike within a cluster: the profile takes rows as independent.",
    },
    Method {
        id: "logistic_firth_cr0",
        title: "Firth's penalised logistic regression, cluster-robust errors CR0",
        estimates: "Firth's odds ratios; the errors allow for rows of one cluster being alike.",
        formula: "V = A⁻¹·(Σ_g u_g·u_g')·A⁻¹, A = X'WX at Firth's β, u_g = Σ x·(y − n·p + h·(½ − p)) over the rows of \
                  cluster g: the sandwich of Firth's own estimating equation, whose cluster scores add up to zero; the \
                  slope of the penalty, of order 1, is left out beside A, of order N",
        source: "Firth 1993 with Liang & Zeger 1986",
        edges: "Fewer than two clusters in all, or that have the term: no interval, and why.",
        not_for: "Under 40 clusters: too narrow. Complete separation: use the profile.",
    },
    Method {
        id: "logistic_firth_cr1",
        title: "Firth's penalised logistic regression, cluster-robust errors CR1",
        estimates: "Firth's odds ratios; the errors allow for rows of one cluster being alike.",
        formula: "logistic_firth_cr0 × G/(G−1) for G clusters",
        source: "Firth 1993 with Liang & Zeger 1986",
        edges: "As logistic_firth_cr0.",
        not_for: "Under 40 clusters: still somewhat too narrow. Complete separation: use the profile.",
    },
    Method {
        id: "logistic_firth_cr1_stata",
        title: "Firth's penalised logistic regression, cluster-robust errors CR1 with Stata's factor",
        estimates: "Firth's odds ratios; the errors allow for rows of one cluster being alike.",
        formula: "logistic_firth_cr0 × G/(G−1)·(N−1)/(N−k) for G clusters, N trials, k terms",
        source: "Firth 1993 with Rogers 1993",
        edges: "As logistic_firth_cr0; no interval when N ≤ k.",
        not_for: "Under 40 clusters: still somewhat too narrow. Complete separation: use the profile.",
    },
];
