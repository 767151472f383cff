//! Cholesky factor of an information matrix. Terms of very different size (a year, a 0/1 flag) are first brought to
//! the same scale; a term that is a sum of terms before it is named instead of being solved into nonsense.

/// Share of a term's own information that must be left once the terms before it are known. Below this it is, to
/// rounding, a combination of them.
pub(in crate::stats) const COLLINEAR: f64 = 1e-11;
/// The same share while coefficients run towards infinity: only rounding itself is refused.
pub(in crate::stats) const SINGULAR: f64 = 1e-15;

/// L, with `L·Lᵀ = D·A·D` and D the scale that makes the diagonal 1.
#[derive(Debug, Clone)]
pub(in crate::stats) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
    scale: Vec<f64>,
}

impl Cholesky {
    /// The factor of a symmetric matrix (row-major), or the first row that depends on the rows before it.
    pub(in crate::stats) fn new(matrix: &[f64], size: usize, tolerance: f64) -> Result<Cholesky, usize> {
        let mut scale = Vec::with_capacity(size);
        for term in 0..size {
            let own = matrix[term * size + term];
            if !(own.is_finite() && own > 0.0) {
                return Err(term);
            }
            scale.push(own.sqrt().recip());
        }
        let mut factor = Cholesky { size, lower: vec![0.0; size * size], scale };
        for row in 0..size {
            factor.fill_row(matrix, row, tolerance)?;
        }
        Ok(factor)
    }

    fn fill_row(&mut self, matrix: &[f64], row: usize, tolerance: f64) -> Result<(), usize> {
        let size = self.size;
        for column in 0..=row {
            let scaled = matrix[row * size + column] * self.scale[row] * self.scale[column];
            let known: f64 = (0..column).map(|k| self.lower[row * size + k] * self.lower[column * size + k]).sum();
            let left = scaled - known;
            if column < row {
                self.lower[row * size + column] = left / self.lower[column * size + column];
            } else if left > tolerance {
                self.lower[row * size + row] = left.sqrt();
            } else {
                return Err(row);
            }
        }
        Ok(())
    }

    /// A⁻¹·v.
    pub(in crate::stats) fn solve(&self, vector: &[f64]) -> Vec<f64> {
        let size = self.size;
        let mut answer: Vec<f64> = vector.iter().zip(&self.scale).map(|(v, s)| v * s).collect();
        for row in 0..size {
            let known: f64 = (0..row).map(|k| self.lower[row * size + k] * answer[k]).sum();
            answer[row] = (answer[row] - known) / self.lower[row * size + row];
        }
        for row in (0..size).rev() {
            let known: f64 = (row + 1..size).map(|k| self.lower[k * size + row] * answer[k]).sum();
            answer[row] = (answer[row] - known) / self.lower[row * size + row];
        }
        answer.iter_mut().zip(&self.scale).for_each(|(a, s)| *a *= s);
        answer
    }

    /// A⁻¹, row-major and exactly symmetric.
    pub(in crate::stats) fn inverse(&self) -> Vec<f64> {
        let size = self.size;
        let mut inverse = vec![0.0; size * size];
        for column in 0..size {
            let mut unit = vec![0.0; size];
            unit[column] = 1.0;
            let solved = self.solve(&unit);
            for row in column..size {
                inverse[row * size + column] = solved[row];
                inverse[column * size + row] = solved[row];
            }
        }
        inverse
    }

    /// ln |A|.
    pub(in crate::stats) fn ln_determinant(&self) -> f64 {
        (0..self.size).map(|k| 2.0 * (self.lower[k * self.size + k].ln() - self.scale[k].ln())).sum()
    }
}

/// Product of two square matrices, row-major.
pub(in crate::stats) fn product(left: &[f64], right: &[f64], size: usize) -> Vec<f64> {
    let mut answer = vec![0.0; size * size];
    for row in 0..size {
        for k in 0..size {
            let factor = left[row * size + k];
            for column in 0..size {
                answer[row * size + column] += factor * right[k * size + column];
            }
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_system_worked_by_hand() {
        // [4 2; 2 3]·[1 2]ᵀ = [8 8]ᵀ, and |A| = 4·3 − 2·2 = 8.
        let factor = Cholesky::new(&[4.0, 2.0, 2.0, 3.0], 2, COLLINEAR).unwrap();
        let solved = factor.solve(&[8.0, 8.0]);
        assert!((solved[0] - 1.0).abs() < 1e-14 && (solved[1] - 2.0).abs() < 1e-14);
        assert!((factor.ln_determinant() - 8.0_f64.ln()).abs() < 1e-14);
        // A⁻¹ = [3 −2; −2 4]/8.
        let inverse = factor.inverse();
        for (seen, expected) in inverse.iter().zip([0.375, -0.25, -0.25, 0.5]) {
            assert!((seen - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn names_the_term_that_adds_nothing() {
        // The third column is the sum of the first two.
        let gram = [2.0, 0.0, 2.0, 0.0, 3.0, 3.0, 2.0, 3.0, 5.0];
        assert_eq!(Cholesky::new(&gram, 3, COLLINEAR).unwrap_err(), 2);
        assert_eq!(Cholesky::new(&[1.0, 0.0, 0.0, 0.0], 2, COLLINEAR).unwrap_err(), 1);
    }
}
