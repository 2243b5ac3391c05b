// What an answer says that it came to: the units that count for its price, and the money.
import type { Charge } from "../control/accounts/charge.ts";
import { addUp, type Micros, microsText, type Nanos, nanosText } from "../core/money.ts";

/**
 * Of the jobs that an answer is made of, which are of one model and one key. A job without a charge, as a workflow whose
 * nodes are billed and not it, counts as nothing.
 */
export function chargeHeaders(charges: readonly (Charge | undefined)[]): Record<string, string> {
  const billed = charges.flatMap((charge) => charge ?? []);
  const quantity = billed.reduce((sum, charge) => addUp(sum, charge.quantity), 0 as Micros);
  const cost = billed.reduce((sum, charge) => addUp(sum, charge.cost), 0 as Nanos);
  const [first] = billed;
  return {
    "x-fal-billable-units": microsText(quantity),
    ...(first && { "x-forecourt-cost": `${nanosText(cost)} ${first.currency}` }),
  };
}
