// What work comes to: quantities of what was counted, and money as their product with a price in parts.
import { expect, test } from "bun:test";
import { chargeIn, unitOf } from "../../../src/control/accounts/charge.ts";
import { ceilingOf } from "../../../src/control/accounts/estimate.ts";
import { costOf, listPrice, type Price, quantitiesOf } from "../../../src/control/accounts/price.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { type Micros, micros, nanos } from "../../../src/core/money.ts";
import { pricedModel } from "../../support/account-board.ts";

const UNKNOWN = Number.POSITIVE_INFINITY as Micros;
const priceOf = (...parts: [number, string][]): Price => ({
  currency: "USD",
  parts: parts.map(([amount, unit]) => ({ unit, amount: nanos(amount) })),
});

test("every run counts a request, its share of its runner's time, and what its pipeline counts", () => {
  expect(quantitiesOf({ images: 2 }, { shareMs: 1500 })).toEqual({
    requests: micros(1),
    gpu_seconds: micros(1.5),
    images: micros(2),
  });
  expect(quantitiesOf({ requests: 3 }, { shareMs: 0 }).requests).toBe(micros(3));
});

test.each([
  [{ input_tokens: 5, output_tokens: 7 }, 12],
  [{ input_tokens: 5 }, 5],
  [{ output_tokens: 7 }, 7],
  [{ input_tokens: 5, output_tokens: 7, tokens: 40 }, 40],
  [{ images: 1 }, undefined],
])("of %p all tokens are %p", (units, tokens) => {
  const wanted = tokens === undefined ? undefined : micros(tokens);
  expect<number | undefined>(quantitiesOf(units, { shareMs: 0 }).tokens).toBe(wanted);
});

test("a price's parts add up, and what was not counted costs nothing", () => {
  const price = priceOf([0.02, "image"], [0.001, "gpu_second"], [5, "second"]);
  expect(costOf({ images: micros(3), gpu_seconds: micros(2) }, price)).toBe(nanos(0.062));
});

test("what nobody can foresee costs without end, but where it is free", () => {
  expect(costOf({ images: UNKNOWN, requests: micros(1) }, priceOf([0.02, "image"], [1, "request"]))).toBe(
    Number.POSITIVE_INFINITY as never,
  );
  expect(costOf({ images: UNKNOWN, requests: micros(1) }, priceOf([0, "image"], [1, "request"]))).toBe(nanos(1));
});

test("a model's list price is in nanos, part by part", () => {
  const also = [{ unit: "gpu_second", amount: 0.001 }];
  expect(listPrice(pricedModel({ price: { unit: "image", amount: 0.02, currency: "EUR", also } }))).toEqual({
    ...priceOf([0.02, "image"], [0.001, "gpu_second"]),
    currency: "EUR",
  });
});

test("before a run its time is at most what it may take, and of other units nothing is known without an estimate", () => {
  const model = pricedModel();
  const ceiling = ceilingOf({ ...model, limits: { ...model.limits, timeoutSeconds: 90 } }, {});
  expect(ceiling.of("requests")).toBe(micros(1));
  expect(ceiling.of("gpu_seconds")).toBe(micros(90));
  expect(ceiling.of("images")).toBe(UNKNOWN);
  expect(ceiling.quantities(["gpu_second", "image"])).toEqual({ gpu_seconds: micros(90), images: UNKNOWN });
});

test("with an estimate it is that, and of units that it does not name nothing", () => {
  const ceiling = ceilingOf({ ...pricedModel(), pipeline: "text-to-image" }, { num_images: 3, image_size: "square" });
  expect(ceiling.of("images")).toBe(micros(3));
  expect(ceiling.of("tokens")).toBe(micros(0));
});

test("a charge is in the first unit of the price that its key pays, and of requests where there is none", () => {
  const model = pricedModel();
  const [known, gone] = [() => model, () => undefined];
  const row = { model: model.id, key: "k", cost: nanos(0.06), currency: "USD", units: `{"images":${micros(3)}}` };
  const desk = (price: Price) => ({ findModel: known, priceOf: () => price });
  expect(chargeIn(row, desk(priceOf([0.02, "image"], [1, "request"])))).toEqual({
    ...{ cost: nanos(0.06), currency: "USD", unit: "image", quantity: micros(3) },
  });
  expect(chargeIn(row, desk(priceOf([1, "second"])))).toMatchObject({ unit: "second", quantity: 0 });
  expect(unitOf(row, desk(priceOf()))).toBe("request");
  const paid = (_: unknown, key?: KeyId) => priceOf([1, key === asId<KeyId>("k") ? "image" : "second"]);
  expect(unitOf(row, { findModel: known, priceOf: paid })).toBe("image");
  expect(unitOf(row, { findModel: gone, priceOf: paid })).toBe("request");
});
