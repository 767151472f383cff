use super::super::risk_difference;
use super::*;

fn table(events_exposed: u64, n_exposed: u64, events_reference: u64, n_reference: u64) -> TwoByTwo {
    TwoByTwo { events_exposed, n_exposed, events_reference, n_reference }
}

fn of(table: TwoByTwo, method: OddsRatioMethod) -> Estimate {
    estimate(&Pair::from(&table), method, Level::P95)
}

#[track_caller]
fn close(ours: Option<f64>, truth: f64) {
    let ours = ours.unwrap();
    assert!((ours - truth).abs() <= 1e-10 * truth, "ours {ours}, truth {truth}");
}

#[test]
fn one_against_none_by_hand() {
    // 1 of 1 against 0 of 1: P(X ≥ 1) = ψ/(1 + ψ) = 0.025 at ψ = 1/39.
    let found = fisher(&table(1, 1, 0, 1), Level::P95);
    assert_eq!((found.value, found.high), (None, Some(f64::INFINITY)));
    close(found.low, 1.0 / 39.0);
    assert!(found.warning.unwrap().starts_with("not_estimable: "));
    // And its mirror: 0 of 1 against 1 of 1.
    let mirror = fisher(&table(0, 1, 1, 1), Level::P95);
    assert_eq!((mirror.value, mirror.low, mirror.warning.as_deref()), (Some(0.0), Some(0.0), None));
    close(mirror.high, 39.0);
}

#[test]
fn exact_ends_by_hand() {
    // 1 of 2 against 1 of 3, weights 3, 6ψ, ψ². Low: (6ψ + ψ²) = 0.025 (3 + 6ψ + ψ²), that is
    // 0.975ψ² + 5.85ψ − 0.075 = 0. High: 3 + 6ψ = 0.025 (3 + 6ψ + ψ²), 0.025ψ² − 5.85ψ − 2.925 = 0.
    let found = fisher(&table(1, 2, 1, 3), Level::P95);
    close(found.low, 2.0 * 0.075 / (5.85 + (5.85_f64.powi(2) + 4.0 * 0.975 * 0.075).sqrt()));
    close(found.high, (5.85 + (5.85_f64.powi(2) + 4.0 * 0.025 * 2.925).sqrt()) / 0.05);
}

#[test]
fn exchanged_groups_give_the_reciprocal() {
    for method in OddsRatioMethod::ALL {
        let (one, other) = (of(table(9, 10, 3, 12), method), of(table(3, 12, 9, 10), method));
        close(one.low.zip(other.high).map(|(low, high)| low * high), 1.0);
        close(one.value.zip(other.value).map(|(low, high)| low * high), 1.0);
    }
}

#[test]
fn zeros_leave_one_end_or_none() {
    for method in [OddsRatioMethod::Fisher, OddsRatioMethod::MiettinenNurminen] {
        for none in [table(0, 10, 5, 20), table(5, 10, 20, 20)] {
            let found = of(none, method);
            assert_eq!((found.value, found.low), (Some(0.0), Some(0.0)));
            assert!(found.high.unwrap().is_finite());
        }
        for unbounded in [table(5, 20, 0, 10), table(20, 20, 5, 10), table(10, 10, 0, 20)] {
            let found = of(unbounded, method);
            assert_eq!((found.value, found.high), (None, Some(f64::INFINITY)));
            assert!(found.low.unwrap() > 0.0);
            assert!(found.warning.unwrap().contains("no upper bound"));
        }
        for nothing in [table(0, 10, 0, 20), table(10, 10, 20, 20)] {
            let found = of(nothing, method);
            assert_eq!((found.value, found.low, found.high), (None, Some(0.0), Some(f64::INFINITY)));
            assert_eq!(found.warning.as_deref(), Some(NO_CONTRAST));
        }
    }
    assert!(of(table(0, 10, 5, 20), OddsRatioMethod::Woolf).warning.unwrap().starts_with("not_estimable: "));
}

#[test]
fn empty_groups_and_broken_counts_are_not_estimable() {
    for method in OddsRatioMethod::ALL {
        for empty in [table(0, 0, 0, 0), table(1, 2, 0, 0), table(3, 2, 1, 2)] {
            let found = of(empty, method);
            assert!(found.value.is_none() && found.low.is_none() && found.warning.is_some());
        }
    }
    let half = Pair { events_exposed: 1.5, n_exposed: 4.0, events_reference: 1.0, n_reference: 4.0 };
    assert!(estimate(&half, OddsRatioMethod::Fisher, Level::P95).warning.unwrap().contains("whole counts"));
    assert!(estimate(&half, OddsRatioMethod::MiettinenNurminen, Level::P95).low.unwrap() > 0.0);
}

#[test]
fn counts_of_a_million_come_near_the_log_interval() {
    let large = table(40_000, 1_000_000, 39_000, 1_000_000);
    let woolf = of(large, OddsRatioMethod::Woolf);
    for method in [OddsRatioMethod::Fisher, OddsRatioMethod::MiettinenNurminen] {
        let found = of(large, method);
        assert!((found.value.unwrap() - woolf.value.unwrap()).abs() < 1e-5);
        assert!((found.low.unwrap() - woolf.low.unwrap()).abs() < 1e-4);
        assert!((found.high.unwrap() - woolf.high.unwrap()).abs() < 1e-4);
    }
}

/// Without reference events the interval reaches from a finite lower end to infinity, whatever the fractions that
/// design effects leave.
#[test]
fn a_group_without_events_has_a_lower_end_of_a_plausible_size() {
    // Five clusters with 3 of 9, and twenty clusters of one without event: the audited case, low = 1.885.
    let mut exposed = ClusterSums::default();
    [(2, 2), (1, 1), (2, 0), (2, 0), (2, 0)].iter().for_each(|&(n, x)| exposed.add_cluster(n, x));
    let mut reference = ClusterSums::default();
    (0..20).for_each(|_| reference.add_cluster(1, 0));
    let found = estimate_clustered([&exposed, &reference], OddsRatioMethod::MiettinenNurminen, Level::P95);
    assert!((found.low.unwrap() - 1.885).abs() < 1e-3, "{found:?}");
    assert_eq!(found.high, Some(f64::INFINITY));
    for tenth in 1..60_u8 {
        let events = f64::from(tenth) / 10.0;
        let pair = Pair { events_exposed: events, n_exposed: 9.3, events_reference: 0.0, n_reference: 20.7 };
        let low = estimate(&pair, OddsRatioMethod::MiettinenNurminen, Level::P95).low.unwrap();
        assert!((0.0..1e4).contains(&low), "{events}: {low}");
        let mirrored = Pair { events_exposed: 0.0, n_exposed: 20.7, events_reference: events, n_reference: 9.3 };
        let high = estimate(&mirrored, OddsRatioMethod::MiettinenNurminen, Level::P95).high.unwrap();
        assert!((high * low - 1.0).abs() < 1e-6 || low == 0.0, "{events}: {low} {high}");
    }
}

#[test]
fn clusters_have_their_own_ids() {
    let mut sums = ClusterSums::default();
    [(2, 1), (3, 0), (4, 4)].iter().for_each(|&(n, x)| sums.add_cluster(n, x));
    for method in OddsRatioMethod::ALL {
        let found = estimate_clustered([&sums, &sums], method, Level::P95);
        match method.clustered_id() {
            Some(id) => assert_eq!((found.method, found.value.is_some()), (id, true)),
            None => assert!(found.warning.unwrap().starts_with("not_estimable: ")),
        }
    }
}

#[test]
fn every_id_is_described_once() {
    for method in OddsRatioMethod::ALL {
        assert_eq!(OddsRatioMethod::from_id(method.id()), Some(method));
        for id in [Some(method.id()), method.clustered_id()].into_iter().flatten() {
            let described = METHODS.iter().chain(risk_difference::METHODS).filter(|described| described.id == id);
            assert_eq!(described.count(), 1);
        }
    }
}
