// Whether new weights also load where the model serves: a trial may have had another card, or more memory around it.
import type { Failure } from "../../core/errors.ts";
import type { ModelId, RunnerId } from "../../core/ids.ts";
import { isOfModel } from "../fleet/back-off.ts";
import type { Fleet } from "../fleet/fleet.ts";

export type FirstLoads = {
  /**
   * `onFailed` is called, once, when the next runner of the model that is started does not come to be ready. A later call
   * for the same source takes an earlier one's place; those of other sources are called as well, the latest first.
   */
  watch(of: { model: ModelId; folder: string }, onFailed: (failure: Failure) => void): void;
  stop(): void;
};

export function watchFirstLoads(fleet: Pick<Fleet, "subscribe">): FirstLoads {
  const watched = new Map<ModelId, Map<string, (failure: Failure) => void>>();
  const ready = new Set<RunnerId>();
  const unsubscribe = fleet.subscribe((event) => {
    if (event.type === "ready") {
      ready.add(event.runner);
      watched.delete(event.model);
    }
    if (event.type !== "gone" || ready.delete(event.runner) || !event.failure || !isOfModel(event.failure)) return;
    const failed = [...(watched.get(event.model)?.values() ?? [])];
    watched.delete(event.model);
    for (const onFailed of failed.reverse()) onFailed(event.failure);
  });
  return {
    watch({ model, folder }, onFailed) {
      const sources = watched.get(model) ?? new Map<string, (failure: Failure) => void>();
      sources.delete(folder);
      watched.set(model, sources.set(folder, onFailed));
    },
    stop: unsubscribe,
  };
}
