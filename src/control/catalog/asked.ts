// What a job asks for, in its endpoint's words.
import type { Job } from "../../core/job.ts";
import { parse } from "../../core/schema.ts";
import { withSpelledValues } from "../../core/spelled-values.ts";
import type { Catalog } from "./catalog.ts";
import type { CatalogEntry } from "./catalog-entry.ts";

type Asked = Pick<Job, "model" | "endpoint" | "input">;

/** In whose words a job's input is: its endpoint's, as long as that means its model. */
export function entryOfJob(
  catalog: Pick<Catalog, "find">,
  { model, endpoint }: Omit<Asked, "input">,
): CatalogEntry | undefined {
  const asked = catalog.find(endpoint);
  return asked?.model.id === model ? asked : undefined;
}

/** Of a request to an endpoint: checked, with defaults. Throws `invalid_input`. */
export function checkedInput({ input: schema, words }: Pick<CatalogEntry, "input" | "words">, input: unknown) {
  const checked = parse(schema, withSpelledValues(schema, input));
  words?.check(checked);
  return checked;
}

/** What a job's pipeline is given. */
export function pipelineInput(catalog: Pick<Catalog, "find">, job: Asked): Record<string, unknown> {
  return entryOfJob(catalog, job)?.words?.toPipeline(job.input) ?? job.input;
}
