// What a finished job came to, read from its row of the ledger: in money, and in the unit that its price counts first.
import { asId, type KeyId } from "../../core/ids.ts";
import type { Micros, Nanos } from "../../core/money.ts";
import { plural } from "./budget-text.ts";
import type { Desk } from "./desk.ts";
import { type NewUsageRow, quantities } from "./usage-store.ts";

export type Charge = { cost: Nanos; currency: string; quantity: Micros; unit: string };

export function chargeIn(row: NewUsageRow, { findModel, priceOf }: Pick<Desk, "findModel" | "priceOf">): Charge {
  const { model: id, key, units, currency } = row;
  const model = findModel(id);
  const unit = (model && priceOf(model, asId<KeyId>(key)).parts[0]?.unit) ?? "request";
  // The rows are written by bookkeeping.ts, in these amounts.
  return { cost: row.cost as Nanos, currency, unit, quantity: (quantities(units)[plural(unit)] ?? 0) as Micros };
}
