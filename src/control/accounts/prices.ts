// Which price counts for whom: the key's own, its team's, the box's, the model's, in this order.
import type { Model } from "../../engine/model.ts";
import { matchesModel } from "../keys/patterns.ts";
import type { AccountBook } from "./account-store.ts";
import { listPrice, type Price } from "./price.ts";

export type Payer = { key?: string | undefined; team?: string | undefined };

/** Of several patterns of one holder that fit, the longest one: `fal-ai/flux/*` before `*`. */
export function priceFor(model: Model, { key, team }: Payer, overridesOf: AccountBook["overridesOf"]): Price {
  if (overridesOf.size === 0) return listPrice(model);
  const names = [model.id, ...model.aliases];
  const holders = [
    ...(key === undefined ? [] : [`key:${key}`]),
    ...(team === undefined ? [] : [`team:${team}`]),
    "all",
  ];
  for (const holder of holders) {
    const fitting = overridesOf.get(holder)?.filter((each) => matchesModel([each.model], names));
    const [best] = (fitting ?? []).sort((a, b) => b.model.length - a.model.length);
    if (best) return best.price;
  }
  return listPrice(model);
}
