// The price of a model file, held against what the model's pipeline counts.
import { ForecourtError } from "../../core/errors.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import type { Model } from "../../engine/model.ts";
import { plural } from "../accounts/budget-text.ts";
import { complaintOf } from "../accounts/counted-units.ts";

/** Throws `misconfigured`, naming the field, for a unit that would never cost anything. */
export function expectPriced({ pipeline, price }: Pick<Model, "pipeline" | "price">, { counts }: Pipeline): void {
  const units = [["unit", price.unit], ...price.also.map(({ unit }, at) => [`also.${at}.unit`, unit])] as const;
  for (const [field = "", unit = ""] of units) {
    const complaint = complaintOf(plural(unit), counts);
    if (complaint !== undefined)
      throw new ForecourtError("misconfigured", `price.${field}: the pipeline ${pipeline} never ${complaint}`);
  }
}
