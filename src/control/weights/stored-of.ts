// Which of the weights on this machine are a model's.
import type { Model } from "../../engine/model.ts";
import type { StoredWeights } from "./library.ts";
import { placesOf } from "./presence.ts";

/** Of one source of a model; `folder` is "" for its own. */
export type StoredPart = { folder: string; weights: StoredWeights };

/** One for each of its sources that is among `stored`. */
export async function storedOf(model: Model, stored: readonly StoredWeights[], data: string): Promise<StoredPart[]> {
  return (await placesOf(model, data)).flatMap(({ folder, ...place }) => {
    const weights = stored.find((each) => each.folderName === place.folderName && each.commit === place.commit);
    return weights ? [{ folder, weights }] : [];
  });
}
