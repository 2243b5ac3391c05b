// Small systems of linear equations.
import { invariant } from "../../core/errors.ts";

/** x with A x = b, for a symmetric positive definite A of n rows: Cholesky's way. */
export function solveSymmetric(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const lower = decompose(matrix, n);
  const x = right.slice();
  for (let row = 0; row < n; row++)
    x[row] = (at(x, row) - dot(lower, x, { row, n, to: row })) / at(lower, row * n + row);
  for (let row = n - 1; row >= 0; row--) {
    let sum = at(x, row);
    for (let below = row + 1; below < n; below++) sum -= at(lower, below * n + row) * at(x, below);
    x[row] = sum / at(lower, row * n + row);
  }
  return x;
}

function decompose(matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let row = 0; row < n; row++)
    for (let column = 0; column <= row; column++) {
      let sum = at(matrix, row * n + column);
      for (let k = 0; k < column; k++) sum -= at(lower, row * n + k) * at(lower, column * n + k);
      if (row === column) invariant(sum > 0, "the matrix is positive definite");
      lower[row * n + column] = row === column ? Math.sqrt(sum) : sum / at(lower, column * n + column);
    }
  return lower;
}

function dot(lower: Float64Array, x: Float64Array, { row, n, to }: { row: number; n: number; to: number }): number {
  let sum = 0;
  for (let k = 0; k < to; k++) sum += at(lower, row * n + k) * at(x, k);
  return sum;
}

const at = (values: Float64Array, index: number) => values[index] ?? 0;
