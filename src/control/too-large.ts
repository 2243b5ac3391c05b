// The operator's models that no device of this box has room for: their requests are refused, and their weights are not fetched ahead.
import { MIB } from "../core/units.ts";
import type { Model } from "../engine/model.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { BUILT_IN } from "./catalog/entry.ts";
import type { VainSetting } from "./vain-settings.ts";
import { createLackHere } from "./variants-here.ts";

type Box = Parameters<typeof createLackHere>[0] & { catalog: Pick<Catalog, "list"> };

/** Of the catalogue most models are too large for most boxes, and nobody named them. */
export function tooLargeHere({ catalog, ...box }: Box): VainSetting[] {
  const lackOf = createLackHere(box);
  return catalog.list().flatMap(({ model, origin }) => {
    const lack = origin === BUILT_IN ? undefined : lackOf(model);
    if (!lack) return [];
    const [needed, most] = [mib(lack.needed), mib(lack.most)];
    const what = `${origin}: ${model.id} needs ${needed} MiB and models may take ${most} MiB here, so its requests are refused`;
    return [{ what, remedy: "raise memory.budget_mb if the box has more, or take smaller weights" }];
  });
}

/** The operator's models that are worth fetching ahead. */
export function operatorModels({ catalog, ...box }: Box): Model[] {
  const lackOf = createLackHere(box);
  return catalog.list().flatMap(({ model, origin }) => (origin === BUILT_IN || lackOf(model) ? [] : [model]));
}

const mib = (size: number) => Math.ceil(size / MIB);
