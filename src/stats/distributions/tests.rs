use super::*;

#[track_caller]
fn close(ours: f64, truth: f64) {
    let gap = (ours - truth).abs() / truth.abs().max(f64::MIN_POSITIVE);
    assert!(gap < 1e-10, "ours {ours:e}, truth {truth:e}, relative gap {gap:e}");
}

// Truth below: SciPy 1.17.1 (`scipy.stats`), unless a closed form is named.

#[test]
fn agrees_on_the_normal() {
    close(normal_sf(-8.0), 0.9999999999999993);
    close(normal_sf(-3.0), 0.9986501019683699);
    close(normal_sf(-1.0), 0.8413447460685429);
    close(normal_sf(0.3), 0.3820885778110474);
    close(normal_sf(1.959963984540054), 0.025);
    close(normal_sf(5.0), 2.866515718791933e-07);
    close(normal_sf(10.0), 7.61985302416047e-24);
    close(normal_sf(37.0), 5.7255712225239266e-300);
    close(normal_cdf(-37.0), 5.7255712225239266e-300);
    close(normal_cdf(-10.0), 7.61985302416047e-24);
    close(normal_cdf(-1.0), 0.15865525393145707);
    close(normal_cdf(2.0), 0.9772498680518208);
    close(normal_quantile(1e-300), -37.0470962993612);
    close(normal_quantile(1e-20), -9.262340089798409);
    close(normal_quantile(1e-08), -5.612001244174789);
    close(normal_quantile(0.005), -2.575829303548901);
    close(normal_quantile(0.025), -1.9599639845400545);
    close(normal_quantile(0.1), -1.2815515655446004);
    close(normal_quantile(0.3), -0.5244005127080409);
    close(normal_quantile(0.6), 0.2533471031357997);
    close(normal_quantile(0.975), 1.959963984540054);
    close(normal_quantile(0.9995), 3.2905267314919255);
}

#[test]
fn agrees_on_the_chi_square() {
    close(chi_square_sf(0.5, 1.0), 0.47950012218695337);
    close(chi_square_sf(3.84, 1.0), 0.05004352124870519);
    close(chi_square_sf(200.0, 1.0), 2.0884875837625688e-45);
    close(chi_square_sf(0.0001, 3.0), 0.9999997340464585);
    close(chi_square_sf(2.5, 5.0), 0.7764950711233227);
    close(chi_square_sf(300.0, 7.0), 6.0496418565564134e-61);
    close(chi_square_sf(90.0, 100.0), 0.7531979655998298);
    close(chi_square_sf(140.0, 100.0), 0.0051405024585059085);
    close(chi_square_sf(1000.0, 900.0), 0.010994608942135844);
    close(chi_square_sf(0.2, 0.5), 0.391661154271034);
}

#[test]
fn agrees_on_the_student_t() {
    close(student_t_sf(0.1, 1.0), 0.4682744825694465);
    close(student_t_sf(2.0, 3.0), 0.06966298427942152);
    close(student_t_sf(12.7, 1.0), 0.025012163844672083);
    close(student_t_sf(5.0, 25.0), 1.863553740722698e-05);
    close(student_t_sf(40.0, 10.0), 1.1404288715428768e-12);
    close(student_t_sf(-1.5, 7.0), 0.911350756505015);
    close(student_t_sf(1.96, 1000000.0), 0.024998033792634926);
    close(student_t_sf(8.0, 500.0), 4.3648313969400804e-15);
    close(student_t_sf(1e-05, 4.0), 0.4999962500000001);
    close(student_t_quantile(0.975, 1.0), 12.706204736174694);
    close(student_t_quantile(0.975, 2.0), 4.302652729749462);
    close(student_t_quantile(0.975, 25.0), 2.0595385527532972);
    close(student_t_quantile(0.995, 474.0), 2.586241203344288);
    close(student_t_quantile(0.025, 7.0), -2.3646242515927844);
    close(student_t_quantile(0.6, 3.0), 0.2766706623326898);
    // Near the middle: (p − ½) / density(0); SciPy keeps nine digits here.
    close(student_t_quantile(0.5000001, 5.0), 2.634305522753691e-7);
    close(student_t_quantile(0.9999, 100000.0), 3.7191543826413724);
}

#[test]
fn agrees_on_the_beta() {
    close(beta_cdf(0.1, 2.0, 3.0), 0.05230000000000001);
    close(beta_sf(0.1, 2.0, 3.0), 0.9477);
    close(beta_cdf(0.9, 0.5, 0.5), 0.7951672353008665);
    close(beta_sf(0.9, 0.5, 0.5), 0.20483276469913342);
    close(beta_cdf(3e-06, 3.0, 999998.0), 0.5768102549259237);
    close(beta_sf(3e-06, 3.0, 999998.0), 0.423189745063592);
    close(beta_cdf(1e-05, 3.0, 999998.0), 0.9972306950833858);
    close(beta_sf(1e-05, 3.0, 999998.0), 0.002769304916488094);
    close(beta_cdf(0.5, 5000.0, 5100.0), 0.8401528708121381);
    close(beta_sf(0.5, 5000.0, 5100.0), 0.15984712918786212);
    close(beta_cdf(0.001, 0.3, 80.0), 0.5122951610491564);
    close(beta_sf(0.001, 0.3, 80.0), 0.48770483895084354);
    close(beta_cdf(0.3, 300000.0, 700000.0), 0.5001160751415759);
    close(beta_sf(0.3, 300000.0, 700000.0), 0.4998839248584336);
    close(beta_cdf(0.2985, 300000.0, 700000.0), 0.0005262416910637608);
    close(beta_sf(0.2985, 300000.0, 700000.0), 0.9994737583089364);
    close(beta_quantile(0.025, 3.0, 999998.0), 6.186725501906401e-07);
    close(beta_quantile(0.975, 4.0, 999997.0), 8.767247788067677e-06);
    close(beta_quantile(0.005, 999999.0, 2.0), 0.999992569894388);
    close(beta_quantile(0.995, 0.5, 10.5), 0.3188346355941716);
    close(beta_quantile(0.025, 0.5, 10.5), 4.7890433157581876e-05);
    close(beta_quantile(0.1, 1000.0, 3000.0), 0.24125337895319987);
    close(beta_quantile(0.025, 0.4, 20.0), 3.7196193364525186e-06);
    close(beta_quantile(0.5, 2.0, 2.0), 0.5);
    close(beta_quantile(1e-09, 5.0, 9.0), 0.0038044342203702865);
    close(beta_upper_quantile(0.025, 4.0, 999997.0), 8.76724778806768e-06);
    close(beta_upper_quantile(0.005, 2.0, 9.0), 0.5442870568996869);
    close(beta_upper_quantile(1e-09, 5.0, 9.0), 0.9508433090480952);
}

// Exact rational arithmetic.
#[test]
fn agrees_on_the_binomial() {
    close(binomial_pmf(0, 10, 0.1), 0.3486784401);
    close(binomial_pmf(10, 10, 0.1), 1.0000000000000006e-10);
    close(binomial_pmf(3, 10, 0.3), 0.266827932);
    close(binomial_pmf(50, 1000, 0.05), 0.05778798371410712);
    close(binomial_pmf(400, 1000, 0.05), 8.281480543100231e-244);
    close(binomial_cdf(3, 10, 0.3), 0.6496107184000001);
    close(binomial_sf(3, 10, 0.3), 0.3503892816);
    close(binomial_cdf(0, 10, 0.1), 0.3486784401);
    close(binomial_sf(0, 10, 0.1), 0.6513215599000001);
    close(binomial_cdf(50, 1000, 0.05), 0.5375290408014276);
    close(binomial_sf(50, 1000, 0.05), 0.46247095919857245);
    close(binomial_sf(300, 1000, 0.05), 9.469773159587205e-144);
    close(binomial_cdf(499_000, 1_000_000, 0.5), 0.0228041499326948);
    close(ln_choose(50, 25), 32.47055650581199);
    close(ln_choose(1000000, 1), 13.815510557964274);
    close(ln_choose(1000000, 3), 39.654769204662266);
    close(ln_choose(1000, 500), 689.4672615678512);
}
