// Fetches a model's weights; of one whose file names a branch or tag, the commit is settled at the first time.
import { type Clock, systemClock } from "../../core/clock.ts";
import type { Model } from "../../engine/model.ts";
import { keepPin, settledSource } from "./pins.ts";
import { type PulledWeights, type PullOrder, pull } from "./pull.ts";

export type ModelPull = Omit<PullOrder, "source"> & { model: Pick<Model, "id" | "source">; clock?: Clock };

/** Throws pull.ts's errors. The commit counts once all of its files are here. */
export async function pullModel({ model, clock = systemClock, ...order }: ModelPull): Promise<PulledWeights> {
  const source = await settledSource(model, order.data);
  const pulled = await pull({ ...order, source });
  const { commit } = pulled;
  if (commit !== undefined && "repo" in source && source.revision !== commit)
    await keepPin(model, { commit, at: clock.now() }, order.data);
  return pulled;
}
