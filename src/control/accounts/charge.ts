// What a finished job came to, read from its row of the ledger: in money, and in the unit that its price counts first.
import { asId, type KeyId } from "../../core/ids.ts";
import type { Micros, Nanos } from "../../core/money.ts";
import { plural } from "./budget-text.ts";
import type { Desk } from "./desk.ts";
import { type NewUsageRow, quantities } from "./usage-store.ts";

export type Charge = { cost: Nanos; currency: string; quantity: Micros; unit: string };

export function chargeIn(
  row: Pick<NewUsageRow, "model" | "key" | "cost" | "currency" | "units">,
  desk: Pricing,
): Charge {
  const { units, currency } = row;
  const unit = unitOf(row, desk);
  // The rows are written by bookkeeping.ts, in these amounts.
  return { cost: row.cost as Nanos, currency, unit, quantity: (quantities(units)[plural(unit)] ?? 0) as Micros };
}

type Pricing = Pick<Desk, "findModel" | "priceOf">;

/** The unit that a key's charges for a model are counted in, in the singular: the first of the price that it pays now. */
export function unitOf({ model: id, key }: { model: string; key: string }, { findModel, priceOf }: Pricing): string {
  const model = findModel(id);
  return (model && priceOf(model, asId<KeyId>(key)).parts[0]?.unit) ?? "request";
}
