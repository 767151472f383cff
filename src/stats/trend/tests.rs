use super::*;

fn levels(counts: &[(f64, u64, u64)]) -> Vec<TrendLevel> {
    counts.iter().map(|&(score, events, n)| TrendLevel { score, events, n }).collect()
}

fn close(seen: f64, expected: f64) {
    assert!((seen - expected).abs() <= 1e-10 * expected.abs().max(1e-300), "{seen} is not {expected}");
}

#[test]
fn says_why_there_is_no_trend() {
    let reasons = [
        (levels(&[]), TrendProblem::OneLevel),
        (levels(&[(1.0, 3, 9), (2.0, 0, 0)]), TrendProblem::OneLevel),
        (levels(&[(1.0, 3, 9), (1.0, 4, 9)]), TrendProblem::EqualScores),
        (levels(&[(1.0, 0, 9), (2.0, 0, 9)]), TrendProblem::NoEvents),
        (levels(&[(1.0, 9, 9), (2.0, 1, 1)]), TrendProblem::OnlyEvents),
        (levels(&[(1.0, 10, 9), (2.0, 1, 9)]), TrendProblem::MoreEventsThanTrials),
        (levels(&[(f64::NAN, 1, 9), (2.0, 1, 9)]), TrendProblem::Score),
    ];
    for (table, reason) in reasons {
        assert_eq!(cochran_armitage_exact(&table), Err(reason));
        for test in [cochran_armitage(&table), cochran_armitage_exact_test(&table)] {
            assert_eq!((test.statistic, test.p_value), (None, None));
            assert_eq!(test.warning, Some(format!("not_estimable: {reason}")));
        }
    }
    let (test, effects) = cochran_armitage_rao_scott(&[]);
    assert_eq!((test.p_value, effects.len()), (None, 0));
}

#[test]
fn an_empty_level_changes_nothing() {
    let with = levels(&[(1.0, 2, 10), (2.0, 0, 0), (3.0, 6, 10)]);
    let without = levels(&[(1.0, 2, 10), (3.0, 6, 10)]);
    assert_eq!(cochran_armitage(&with), cochran_armitage(&without));
    assert_eq!(cochran_armitage_exact(&with), cochran_armitage_exact(&without));
    close(smallest_expected(&with), 4.0);
    close(smallest_expected(&[]) + 1.0, 1.0);
}

#[test]
fn falling_risk_keeps_its_sign_and_turned_scores_turn_it() {
    let falling = levels(&[(1.0, 8, 10), (2.0, 5, 10), (3.0, 2, 10)]);
    let rising = levels(&[(-1.0, 8, 10), (-2.0, 5, 10), (-3.0, 2, 10)]);
    let (a, b) = (cochran_armitage(&falling), cochran_armitage(&rising));
    assert!(a.statistic.unwrap() < 0.0);
    close(a.statistic.unwrap(), -b.statistic.unwrap());
    let (a, b) = (cochran_armitage_exact(&falling).unwrap(), cochran_armitage_exact(&rising).unwrap());
    close(a.p_lower, b.p_upper);
    close(a.p_mid, b.p_mid);
}

#[test]
fn two_levels_are_the_hypergeometric() {
    // 3 of 4 against 1 of 6: 4 events in 10 trials can be placed in C(10,4) = 210 ways. In the first level at
    // least 3: C(4,3)·C(6,1) + C(4,4) = 24 + 1 = 25; at most 3: 210 − 1 = 209.
    let exact = cochran_armitage_exact(&levels(&[(1.0, 3, 4), (0.0, 1, 6)])).unwrap();
    close(exact.p_upper, 25.0 / 210.0);
    close(exact.p_lower, 209.0 / 210.0);
    close(exact.expected_t, 1.6);
    // As far from 1.6 as 3 is: 0 (1.6 away) and 3, 4 (1.4, 2.4 away). C(6,4) = 15 ways have 0. Exactly as far:
    // only 3, with 24 ways.
    close(exact.p_exact, 40.0 / 210.0);
    close(exact.p_mid, (15.0 + 1.0 + 12.0) / 210.0);
}

#[test]
fn many_events_are_counted_by_the_trials_without() {
    // The same table with events and non-events exchanged: the sums turn round.
    let few = cochran_armitage_exact(&levels(&[(1.0, 1, 5), (2.0, 0, 6), (4.0, 3, 7)])).unwrap();
    let many = cochran_armitage_exact(&levels(&[(1.0, 4, 5), (2.0, 6, 6), (4.0, 4, 7)])).unwrap();
    close(few.p_upper, many.p_lower);
    close(few.p_lower, many.p_upper);
    close(few.p_mid, many.p_mid);
    close(few.t + many.t, 1.0 * 5.0 + 2.0 * 6.0 + 4.0 * 7.0);
    // Half and half.
    let half = cochran_armitage_exact(&levels(&[(0.0, 0, 2), (1.0, 2, 2)])).unwrap();
    close(half.p_lower, 1.0);
}

#[test]
fn any_scores_will_do() {
    // 1 event in 3 trials with the scores 0, π and e: each has a third; the event is at π.
    let scores = levels(&[(0.0, 0, 1), (std::f64::consts::PI, 1, 1), (std::f64::consts::E, 0, 1)]);
    let exact = cochran_armitage_exact(&scores).unwrap();
    close(exact.p_upper, 1.0 / 3.0);
    close(exact.p_lower, 1.0);
    // The mean is (π + e)/3 = 1.95: π is 1.19 away, 0 is 1.95, e 0.76.
    close(exact.p_exact, 2.0 / 3.0);
    close(exact.p_mid, 0.5);
}

#[test]
fn large_tables_are_done_or_refused_and_never_hang() {
    let rare = levels(&[(1.0, 1, 100_000), (2.0, 3, 400_000), (3.0, 9, 300_000), (4.0, 6, 200_000)]);
    let exact = cochran_armitage_exact(&rare).unwrap();
    assert!(exact.p_upper > 0.0 && exact.p_upper < 0.05 && exact.p_mid < 0.1);
    let asymptotic = cochran_armitage(&rare).p_value.unwrap();
    assert!((exact.p_mid - asymptotic).abs() < 0.02, "{} {asymptotic}", exact.p_mid);
    let huge: Vec<TrendLevel> =
        (1..=6).map(|score| TrendLevel { score: f64::from(score), events: 400_000, n: 1_000_000 }).collect();
    assert_eq!(cochran_armitage_exact(&huge), Err(TrendProblem::TooLarge { limit: distribution::LIMIT }));
    close(cochran_armitage(&huge).p_value.unwrap(), 1.0);
}

#[test]
fn clusters_of_one_trial_are_not_corrected_and_pairs_are() {
    // Clusters of two trials that always agree: the design effect is 2·m/(m − 1) with m = 6 clusters: 2.4.
    let alike = |score: f64, events: u64| {
        let mut sums = ClusterSums::default();
        (0..6).for_each(|cluster| sums.add_cluster(2, if cluster < events { 2 } else { 0 }));
        ClusteredLevel { score, sums }
    };
    let (test, effects) = cochran_armitage_rao_scott(&[alike(1.0, 1), alike(2.0, 3), alike(3.0, 5)]);
    effects.iter().for_each(|&effect| close(effect, 2.4));
    let plain = cochran_armitage(&levels(&[(1.0, 2, 12), (2.0, 6, 12), (3.0, 10, 12)]));
    close(test.statistic.unwrap() * 2.4_f64.sqrt(), plain.statistic.unwrap());
    // No event, one cluster: 1.
    let mut lone = ClusterSums::default();
    lone.add_cluster(5, 2);
    let (_, effects) = cochran_armitage_rao_scott(&[alike(1.0, 0), ClusteredLevel { score: 2.0, sums: lone }]);
    assert_eq!(effects, vec![1.0, 1.0]);
}
