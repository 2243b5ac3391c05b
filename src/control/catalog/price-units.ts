// Prices, of model files and those that are set instead, held against what the models' pipelines count.
import { ForecourtError } from "../../core/errors.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import type { Model } from "../../engine/model.ts";
import { pipelineOf } from "../../engine/pipelines/registry.ts";
import { plural } from "../accounts/budget-text.ts";
import { complaintOf } from "../accounts/counted-units.ts";
import type { Price } from "../accounts/price.ts";
import { matchesModel } from "../keys/patterns.ts";

/** Throws `misconfigured`, naming the field, for a unit that would never cost anything. */
export function expectPriced({ pipeline, price }: Pick<Model, "pipeline" | "price">, { counts }: Pipeline): void {
  const units = [["unit", price.unit], ...price.also.map(({ unit }, at) => [`also.${at}.unit`, unit])] as const;
  for (const [field = "", unit = ""] of units) {
    const complaint = complaintOf(plural(unit), counts);
    if (complaint !== undefined)
      throw new ForecourtError("misconfigured", `price.${field}: the pipeline ${pipeline} never ${complaint}`);
  }
}

/** Which of the models that a pattern fits would cost nothing at a price, because their runs count none of its units. */
export function unpriced(
  entries: readonly { model: Model }[],
  { model: pattern, price }: { model: string; price: Price },
): string[] {
  const costsNothing = (model: Model) =>
    price.parts.every(({ unit }) => complaintOf(plural(unit), pipelineOf(model).counts) !== undefined);
  return entries
    .filter(({ model }) => matchesModel([pattern], [model.id, ...model.aliases]) && costsNothing(model))
    .map(({ model }) => model.id);
}
