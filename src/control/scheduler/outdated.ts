// Which runners have weights that are no longer their model's, and which are of a model that is another now, or gone.
import { kindOfId } from "../../core/device.ts";
import { asId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Preparation } from "./preparation.ts";
import type { Facts } from "./situation.ts";

export type Outdated = {
  /** All runners that the model has now; with `isOther` they get no further job. */
  mark(model: ModelId, isOther?: "other"): void;
  /** No runner is marked. */
  isEmpty(): boolean;
  /** Has one effect: the new weights are looked up. */
  facts(): NonNullable<Facts["outdated"]>;
};

type Parts = { fleet: Pick<Fleet, "runners">; catalog: Catalog; preparation: Preparation };

export function createOutdated({ fleet, catalog, preparation }: Parts): Outdated {
  const marked = new Set<RunnerId>();
  const others = new Set<RunnerId>();
  return {
    mark(model, isOther) {
      for (const { id } of fleet.runners().filter((runner) => runner.model === model)) {
        marked.add(id);
        if (isOther) others.add(id);
      }
      preparation.forgetWeights(model);
    },
    isEmpty: () => marked.size === 0,
    facts() {
      const runners = fleet.runners().filter(({ id }) => marked.has(id));
      const isThere = new Set(runners.map(({ id }) => id));
      for (const id of marked) if (!isThere.has(id)) marked.delete(id);
      for (const id of others) if (!isThere.has(id)) others.delete(id);
      const models = new Set(runners.map(({ model }) => model));
      const renewable = [...models].filter((model) => {
        const entry = catalog.find(asId<string>(model));
        const kinds = runners.flatMap((each) => (each.model === model ? (kindOfId(each.device) ?? []) : []));
        const weights = entry && preparation.weights(entry, kinds);
        if (weights?.type === "failed") preparation.forgetWeights(model);
        return weights?.type === "ready";
      });
      return { runners: isThere, renewable: new Set(renewable), others: new Set(others) };
    },
  };
}
