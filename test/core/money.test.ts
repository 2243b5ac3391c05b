// Amounts stay exact.
import { expect, test } from "bun:test";
import { costOfQuantity, type Micros, micros, microsText, type Nanos, nanos, nanosText } from "../../src/core/money.ts";

test.each([
  [0.003, "0.003"],
  [12.5, "12.5"],
  [1e-9, "0.000000001"],
  [300, "300"],
  [0, "0"],
  [-0.5, "-0.5"],
  // Times 1e9 it is 8199999999.999999 in floating point.
  [8.2, "8.2"],
])("%d of a currency is written %s", (amount, text) => {
  expect(nanosText(nanos(amount))).toBe(text);
});

test("a quantity times a price is exact to the nano, however large", () => {
  expect(costOfQuantity(micros(4), nanos(0.025))).toBe(nanos(0.1));
  expect(costOfQuantity(micros(1000), nanos(0.000_001))).toBe(nanos(0.001));
  expect([1_499_999, 1_500_000].map((quantity) => costOfQuantity(quantity as Micros, 1 as Nanos))).toEqual([
    1 as Nanos,
    2 as Nanos,
  ]);
  expect(costOfQuantity(micros(1.048576), nanos(0.003))).toBe(3_145_728 as Nanos);
  expect(costOfQuantity(micros(1_000_000), nanos(0.15 / 1e6))).toBe(nanos(0.15));
  const [quantity, price] = [987_654_321_987 as Micros, 1_234_567 as Nanos];
  expect(BigInt(costOfQuantity(quantity, price))).toBe((987_654_321_987n * 1_234_567n + 500_000n) / 1_000_000n);
});

test("ten cents taken ten times from a unit leave nothing", () => {
  let left: number = nanos(1);
  for (let i = 0; i < 10; i++) left -= nanos(0.1);
  expect(left).toBe(0);
  expect(microsText(micros(0.1 + 0.2))).toBe("0.3");
  expect(microsText(micros(8.2))).toBe("8.2");
});
