import { expect, test } from "bun:test";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { solveSymmetric } from "../../../src/engine/tensor/solve.ts";

test("what is found solves the equations, for systems of any size", () => {
  const random = createRandom(1);
  for (const n of [1, 2, 5, 17]) {
    const half = random.normal(n * n);
    const at = (row: number, column: number) => half[row * n + column] ?? 0;
    const matrix = Float64Array.from({ length: n * n }, (_, i) => {
      let sum = Math.floor(i / n) === i % n ? 0.1 : 0;
      for (let k = 0; k < n; k++) sum += at(Math.floor(i / n), k) * at(i % n, k);
      return sum;
    });
    const wanted = Float64Array.from(random.normal(n));
    const times = (x: Float64Array) =>
      Float64Array.from({ length: n }, (_, row) =>
        x.reduce((sum, each, k) => sum + (matrix[row * n + k] ?? 0) * each, 0),
      );
    const found = solveSymmetric(matrix, times(wanted));
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(wanted[i] ?? 0, 6);
  }
});

test("a matrix that is not positive definite is refused", () => {
  expect(() => solveSymmetric(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1))).toThrow("positive definite");
});
