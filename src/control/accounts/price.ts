// What a model's work costs: a price in parts, quantities of what was done, and money as their product.
import { addUp, costOfQuantity, type Micros, micros, type Nanos, nanos } from "../../core/money.ts";
import type { Units } from "../../core/pipeline.ts";
import type { Model } from "../../engine/model.ts";
import { plural } from "./budget-text.ts";

/** Micros by unit, in the plural. */
export type Quantities = Record<string, Micros>;

export type Price = {
  currency: string;
  /** Units in the singular, as in model files; the first one is what `x-fal-billable-units` counts. */
  parts: { unit: string; amount: Nanos }[];
};

const texts = new WeakMap<Price, string>();

/** As it is kept with a job. */
export function priceJson(price: Price): string {
  const text = texts.get(price) ?? JSON.stringify(price);
  texts.set(price, text);
  return text;
}

/** Written by `priceJson`. */
export const readPrice = (text: string | null): Price | undefined =>
  text === null ? undefined : (JSON.parse(text) as Price);

const known = new WeakMap<Model, Price>();

/** As the model's file says. */
export function listPrice(model: Model): Price {
  const found = known.get(model);
  if (found) return found;
  const { unit, amount, currency, also = [] } = model.price;
  const price = {
    currency,
    parts: [{ unit, amount }, ...also].map((part) => ({ ...part, amount: nanos(part.amount) })),
  };
  known.set(model, price);
  return price;
}

/** What a run counted, with what every run counts: one request, its share of its runner's time, all its tokens. */
export function quantitiesOf(units: Units, { shareMs }: { shareMs: number }): Quantities {
  const counted = Object.entries(units).map(([unit, quantity]) => [plural(unit), micros(quantity)] as const);
  const all: Quantities = {
    requests: micros(1),
    gpu_seconds: micros(shareMs / 1000),
    ...Object.fromEntries(counted),
  };
  const { input_tokens, output_tokens } = all;
  if (all.tokens === undefined && (input_tokens !== undefined || output_tokens !== undefined))
    all.tokens = addUp((input_tokens ?? 0) as Micros, output_tokens ?? 0);
  return all;
}

/** Infinite when a unit with a price is. */
export function costOf(quantities: Quantities, { parts }: Price): Nanos {
  let sum = 0 as Nanos;
  for (const { unit, amount } of parts) {
    const quantity = quantities[plural(unit)] ?? 0;
    if (amount === 0 || quantity === 0) continue;
    sum = addUp(sum, Number.isFinite(quantity) ? costOfQuantity(quantity as Micros, amount) : quantity);
  }
  return sum;
}
