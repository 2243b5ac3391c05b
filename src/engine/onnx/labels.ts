// Names of classes: written in the model file, or in a file beside the graph.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";

export const labelsField = Type.Union([Type.Array(Type.String()), Type.String()], {
  default: [],
  description:
    "Names of the classes: a list, or a file of the weights (one name a line, a JSON list, a JSON mapping from number to name, or a config.json with id2label)",
});

/** By the number of the class. Throws `weights_missing` for a file that is not as described. */
export async function readLabels(labels: Static<typeof labelsField>, assets: Assets): Promise<readonly string[]> {
  if (Array.isArray(labels)) return labels;
  if (!labels.endsWith(".json")) return linesOf(await assets.text(labels));
  const content = await assets.json<unknown>(labels);
  if (Array.isArray(content)) return content.map(String);
  if (!isMapping(content)) throw new ForecourtError("weights_missing", `${labels} holds no names of classes`);
  const names = isMapping(content.id2label) ? content.id2label : content;
  const labelled: string[] = [];
  for (const [id, name] of Object.entries(names)) labelled[Number(id)] = String(name);
  return labelled;
}

/** The last line may or may not end; other empty lines are names. */
export const linesOf = (text: string) => text.replace(/\r?\n$/, "").split(/\r?\n/);

/** A class without a name is known by its number. */
export const labelOf = (labels: readonly string[], index: number) => labels[index] ?? String(index);

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
