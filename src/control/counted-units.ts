// What can be limited and priced beside money: the units that some work on a box counts.

import { ForecourtError } from "../core/errors.ts";
import { COUNTED_UNITS } from "../core/pipeline.ts";
import { isCurrency, type Limits } from "./accounts/account.ts";
import { plural } from "./accounts/budget-text.ts";
import type { Price } from "./accounts/price.ts";

/** The share of its runner's time is counted for every job, whatever its pipeline. */
const COUNTED: ReadonlySet<string> = new Set([...COUNTED_UNITS, "gpu_seconds"]);

/** The same. Throws `bad_request` for budgets that nothing would ever count for: they would limit nothing. */
export function countedLimits(limits: Limits): Limits {
  for (const { unit } of limits.budgets ?? []) if (!isCurrency(unit)) expectCounted(unit);
  return limits;
}

/** The same. Throws `bad_request` for a price that nothing would ever come to. */
export function countedPrice(price: Price): Price {
  for (const { unit } of price.parts) expectCounted(unit);
  return price;
}

function expectCounted(unit: string): void {
  if (COUNTED.has(plural(unit))) return;
  throw new ForecourtError(
    "bad_request",
    `Nothing here counts ${unit.slice(0, 50)}; what is counted: ${[...COUNTED].join(", ")}.`,
  );
}
