import { expect, test } from "bun:test";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import cases from "./random.json";

/** torch's vectorised logarithm and sine differ from the exact ones in the last bits. */
const TOLERANCE = 1e-6;

function agrees(actual: Float32Array, wanted: number[]) {
  expect(actual.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs((actual[i] ?? Number.NaN) - value)).toBeLessThan(TOLERANCE);
}

for (const { seed, count, head, tail, next, then } of cases) {
  test(`seed ${seed} gives torch's numbers, ${count} at a time`, () => {
    const random = createRandom(seed);
    const first = random.normal(count);
    agrees(first.subarray(0, 20), head);
    agrees(first.subarray(-20), tail);
    agrees(random.normal(count).subarray(0, 20), next);
    agrees(random.normal(3), then);
  });
}

test("the first picture of a batch starts from the noise of a single one", () => {
  const size = 4 * 16 * 16;
  expect(
    createRandom(7)
      .normal(3 * size)
      .subarray(0, size),
  ).toEqual(createRandom(7).normal(size));
});

test("different seeds give different noise of mean 0 and deviation 1", () => {
  const [a, b] = [createRandom(1).normal(100_000), createRandom(2).normal(100_000)];
  const mean = a.reduce((sum, value) => sum + value, 0) / a.length;
  const variance = a.reduce((sum, value) => sum + (value - mean) ** 2, 0) / a.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  expect(a).not.toEqual(b);
});
