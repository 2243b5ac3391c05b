// The most that a job can come to, before it runs: what is set aside for it.
import { type Micros, micros } from "../../core/money.ts";
import type { Model } from "../../engine/model.ts";
import { pipelineOf } from "../../engine/pipelines/registry.ts";
import { plural } from "./budget-text.ts";
import { type Quantities, quantitiesOf } from "./price.ts";

const UNKNOWN = Number.POSITIVE_INFINITY as Micros;

export type Ceiling = {
  /** Infinite for a unit that only the run can know. */
  of(unit: string): Micros;
  /** Of all units of these names. */
  quantities(units: string[]): Quantities;
};

/** `input` is checked, with defaults filled in. */
export function ceilingOf(model: Model, input: Record<string, unknown>): Ceiling {
  const { estimate } = pipelineOf(model);
  const shareMs = model.limits.timeoutSeconds * 1000;
  const declared = estimate?.(input);
  const known = quantitiesOf(declared ?? {}, { shareMs });
  const isKnown = declared !== undefined;
  const of = (unit: string) => known[unit] ?? (isKnown ? micros(0) : UNKNOWN);
  return { of, quantities: (units) => Object.fromEntries(units.map((unit) => [plural(unit), of(plural(unit))])) };
}
