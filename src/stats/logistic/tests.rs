use super::*;

/// Rows of one trial each; the intercept is put in here.
struct Rows {
    design: Vec<f64>,
    events: Vec<f64>,
    trials: Vec<f64>,
    clusters: Vec<u32>,
    terms: usize,
}

impl Rows {
    fn new(terms: &[&[f64]], events: &[f64]) -> Rows {
        let rows = events.len();
        let design = (0..rows).flat_map(|row| std::iter::once(1.0).chain(terms.iter().map(move |t| t[row]))).collect();
        let clusters = (0..rows).map(|row| u32::try_from(row).unwrap()).collect();
        Rows { design, events: events.to_vec(), trials: vec![1.0; rows], clusters, terms: terms.len() + 1 }
    }

    fn observations(&self) -> Observations<'_> {
        Observations {
            design: &self.design,
            terms: self.terms,
            events: &self.events,
            trials: &self.trials,
            clusters: &self.clusters,
        }
    }
}

fn close(seen: f64, expected: f64) {
    assert!((seen - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{seen} is not {expected}");
}

const KINDS: [Covariance; 4] = [Covariance::Model, Covariance::Cr0, Covariance::Cr1, Covariance::Cr1Stata];

#[test]
fn an_intercept_is_the_log_odds_and_its_robust_error_the_ratio_variance() {
    // Clusters of 1/4, 0/2, 3/4 events: p = 4/10. Their residuals x − n·p are −0.6, −0.8, 1.4, the squares add up
    // to 0.36 + 0.64 + 1.96 = 2.96. V = 2.96/(10·0.4·0.6)² = 2.96/5.76 for the log odds.
    let mut rows = Rows::new(&[], &[1.0, 0.0, 3.0]);
    rows.trials = vec![4.0, 2.0, 4.0];
    let fit = fit(&rows.observations()).unwrap();
    close(fit.coefficients[0], (0.4_f64 / 0.6).ln());
    close(fit.standard_error(0, Covariance::Model).unwrap(), (1.0_f64 / 2.4).sqrt());
    close(fit.standard_error(0, Covariance::Cr0).unwrap(), (2.96_f64 / 5.76).sqrt());
    close(fit.standard_error(0, Covariance::Cr1).unwrap(), (1.5_f64 * 2.96 / 5.76).sqrt());
    // N = 10 trials and k = 1 term: the second factor is 9/9.
    close(fit.standard_error(0, Covariance::Cr1Stata).unwrap(), (1.5_f64 * 2.96 / 5.76).sqrt());
    close(fit.log_likelihood, 4.0 * 0.4_f64.ln() + 6.0 * 0.6_f64.ln());
    let risk = fit.predict(&[1.0], Covariance::Cr0, Level::P95);
    close(risk.value.unwrap(), 0.4);
    assert!(risk.low.unwrap() > 0.0 && risk.high.unwrap() < 1.0);
}

#[test]
fn single_trials_in_any_order_equal_the_counts_they_make_up() {
    let mut counts = Rows::new(&[&[0.0, 1.0, 0.0, 1.0]], &[1.0, 2.0, 2.0, 1.0]);
    counts.trials = vec![5.0, 3.0, 4.0, 4.0];
    counts.clusters = vec![7, 7, 2, 2];
    let mut singles = Rows::new(&[], &[]);
    singles.terms = 2;
    for turn in 0..5 {
        for row in (0..4).filter(|&row| f64::from(turn) < counts.trials[row]) {
            singles.design.extend_from_slice(&counts.design[row * 2..row * 2 + 2]);
            singles.events.push(f64::from(u8::from(f64::from(turn) < counts.events[row])));
            singles.trials.push(1.0);
            singles.clusters.push(counts.clusters[row]);
        }
    }
    for fitter in [fit, crate::stats::firth::fit] {
        let (a, b) = (fitter(&counts.observations()).unwrap(), fitter(&singles.observations()).unwrap());
        close(a.log_likelihood, b.log_likelihood);
        for kind in KINDS {
            for term in 0..2 {
                close(a.coefficients[term], b.coefficients[term]);
                close(a.standard_error(term, kind).unwrap(), b.standard_error(term, kind).unwrap());
            }
        }
    }
}

#[test]
fn separation_is_named_with_its_terms() {
    // The second term is 1 only in rows with the event: its coefficient has no end; the first term overlaps.
    let overlap = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let only_events = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
    let events = [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let rows = Rows::new(&[&overlap, &only_events], &events);
    assert_eq!(fit(&rows.observations()).unwrap_err(), FitProblem::Separated { terms: vec![2] });
    // A threshold tells all events apart: complete separation.
    let rows = Rows::new(&[&[1.0, 2.0, 3.0, 4.0]], &[0.0, 0.0, 1.0, 1.0]);
    assert_eq!(fit(&rows.observations()).unwrap_err(), FitProblem::Separated { terms: vec![0, 1] });
    assert!(crate::stats::firth::fit(&rows.observations()).is_ok());
}

#[test]
fn what_cannot_be_fitted_says_why() {
    let fails = |rows: &Rows| fit(&rows.observations()).unwrap_err();
    assert_eq!(fails(&Rows::new(&[], &[])), FitProblem::TooFewRows { trials: 0, terms: 1 });
    assert_eq!(fails(&Rows::new(&[&[1.0]], &[1.0])), FitProblem::TooFewRows { trials: 1, terms: 2 });
    assert_eq!(fails(&Rows::new(&[], &[0.0, 0.0])), FitProblem::NoEvents);
    assert_eq!(fails(&Rows::new(&[], &[1.0, 1.0])), FitProblem::OnlyEvents);
    let (a, b) = ([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]);
    let events = [0.0, 1.0, 1.0, 0.0];
    assert_eq!(fails(&Rows::new(&[&a, &b], &events)), FitProblem::Collinear { term: 2 });
    assert_eq!(fails(&Rows::new(&[&[0.0; 4]], &events)), FitProblem::Collinear { term: 1 });
    assert_eq!(fails(&Rows::new(&[&[f64::NAN, 0.0, 1.0, 0.0]], &events)), FitProblem::Unusable { row: 0 });
    let mut rows = Rows::new(&[], &[0.0, 1.0]);
    rows.trials = vec![1.0];
    assert_eq!(fails(&rows), FitProblem::Shape);
    rows.trials = vec![1.0, 0.5];
    assert_eq!(fails(&rows), FitProblem::Unusable { row: 1 });
    rows.trials = vec![0.0, 1.0];
    rows.events = vec![0.0, 1.0];
    assert_eq!(fails(&rows), FitProblem::OnlyEvents);
}

#[test]
fn a_robust_error_that_clusters_cannot_show_is_left_out_and_said() {
    let exposed = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
    let mut rows = Rows::new(&[&exposed], &[0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
    rows.clusters = vec![0; 8];
    let one = fit(&rows.observations()).unwrap().odds_ratio(1, Covariance::Cr1, Level::P95);
    assert!(one.value.is_some() && one.low.is_none() && one.high.is_none());
    assert!(one.warning.unwrap().starts_with("not_estimable: "));
    // Two clusters, but only one of them has the exposure.
    rows.clusters = vec![0, 0, 1, 1, 2, 2, 2, 2];
    let fitted = fit(&rows.observations()).unwrap();
    assert_eq!(fitted.standard_error(1, Covariance::Cr0), None);
    assert_eq!(fitted.p_value(1, Covariance::Cr0).p_value, None);
    assert!(fitted.standard_error(0, Covariance::Cr0).is_some());
    assert_eq!(fitted.odds_ratio(9, Covariance::Model, Level::P95).value, None);
    assert_eq!(fitted.predict(&[1.0], Covariance::Model, Level::P95).value, None);
}

#[test]
fn terms_of_very_different_size_do_not_matter() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let events = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    let scaled: Vec<f64> = x.iter().map(|x| x * 1e9).collect();
    let years: Vec<f64> = x.iter().map(|x| x + 2018.0).collect();
    let plain = fit(&Rows::new(&[&x], &events).observations()).unwrap();
    let large = fit(&Rows::new(&[&scaled], &events).observations()).unwrap();
    close(large.coefficients[1] * 1e9, plain.coefficients[1]);
    let shifted = fit(&Rows::new(&[&years], &events).observations()).unwrap();
    assert!((shifted.coefficients[1] - plain.coefficients[1]).abs() < 1e-7);
    close(shifted.log_likelihood, plain.log_likelihood);
}

/// Small whole numbers, the same on every machine.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Separation by its definition, in whole numbers: some direction on the border of two rows points against no row
/// and for at least one. With three terms such directions are the cross products of two rows.
fn separated(rows: &[[i64; 3]], events: &[bool]) -> bool {
    let cross =
        |a: [i64; 3], b: [i64; 3]| [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let tells = |d: [i64; 3]| {
        let moved = |row: &[i64; 3]| row.iter().zip(d).map(|(x, d)| x * d).sum::<i64>();
        let signed: Vec<i64> =
            rows.iter().zip(events).map(|(row, &event)| if event { moved(row) } else { -moved(row) }).collect();
        signed.iter().all(|&m| m >= 0) && signed.iter().any(|&m| m > 0)
    };
    let pairs = rows.iter().flat_map(|&a| rows.iter().map(move |&b| (a, b)));
    pairs.map(|(a, b)| cross(a, b)).any(|d| tells(d) || tells([-d[0], -d[1], -d[2]]))
}

#[test]
fn separation_is_found_exactly_when_there_is_some() {
    let mut state = 7;
    let (mut finite, mut endless) = (0, 0);
    for _ in 0..3000 {
        let count = 5 + next(&mut state) % 16;
        let mut draw = |top: u64| i64::try_from(next(&mut state) % top).unwrap();
        let rows: Vec<[i64; 3]> = (0..count).map(|_| [1, draw(7), draw(2)]).collect();
        let events: Vec<bool> = (0..count).map(|_| draw(2) == 1).collect();
        let columns: [Vec<f64>; 2] =
            [1, 2].map(|term| rows.iter().map(|row| f64::from(i32::try_from(row[term]).unwrap())).collect());
        let outcome: Vec<f64> = events.iter().map(|&event| f64::from(u8::from(event))).collect();
        match fit(&Rows::new(&[&columns[0], &columns[1]], &outcome).observations()) {
            Ok(fit) => {
                finite += 1;
                assert!(!separated(&rows, &events), "{rows:?} {events:?}");
                assert!(fit.coefficients.iter().all(|c| c.is_finite()));
            }
            Err(FitProblem::Separated { terms }) => {
                endless += 1;
                assert!(separated(&rows, &events), "{rows:?} {events:?}");
                assert!(!terms.is_empty());
            }
            Err(FitProblem::NoEvents | FitProblem::OnlyEvents | FitProblem::Collinear { .. }) => {}
            Err(problem) => panic!("{problem}: {rows:?} {events:?}"),
        }
    }
    assert!(finite > 500 && endless > 500, "{finite} {endless}");
}

#[test]
fn many_rows_in_many_chunks_equal_their_counts() {
    // A million trials in 20,000 rows: 10 % and 20 % of 500,000.
    let rows = 20_000_u32;
    let exposed: Vec<f64> = (0..rows).map(|row| f64::from(row % 2)).collect();
    let events: Vec<f64> = (0..rows).map(|row| if row % 2 == 0 { 5.0 } else { 10.0 }).collect();
    let mut rows = Rows::new(&[&exposed], &events);
    rows.trials = vec![50.0; events.len()];
    let fit = fit(&rows.observations()).unwrap();
    close(fit.odds_ratio(1, Covariance::Model, Level::P95).value.unwrap(), 2.25);
    let cells = [50_000.0, 450_000.0, 100_000.0, 400_000.0];
    close(fit.standard_error(1, Covariance::Model).unwrap(), cells.iter().map(|c: &f64| c.recip()).sum::<f64>().sqrt());
}

#[test]
fn every_method_id_has_its_reference() {
    let rows = Rows::new(&[], &[0.0, 1.0, 0.0]);
    for fitter in [fit, crate::stats::firth::fit] {
        let fit = fitter(&rows.observations()).unwrap();
        for kind in KINDS {
            assert!(METHODS.iter().any(|method| method.id == fit.method(kind)), "{}", fit.method(kind));
        }
    }
}
