// Each model as a tool of its own, named after its id, with the model's own input schema.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { priceText } from "../docs/model-operations.ts";
import { runToTheEnd } from "./runs.ts";
import type { Tool } from "./tool.ts";

const LONGEST_NAME = 64;

/** `names` are those of other tools. */
export function modelTools(entries: readonly CatalogEntry[], names: readonly string[]): Tool[] {
  const taken = new Set(names);
  return entries.map((entry) => {
    const name = freeName(entry.model.id, taken);
    taken.add(name);
    return modelTool(entry, name);
  });
}

function modelTool({ model, input }: CatalogEntry, name: string): Tool {
  return {
    name,
    title: model.title,
    description: `${model.description} (${model.category}; ${priceText(model)} Endpoint id: ${model.id})`,
    input,
    isReading: false,
    // Judged by the model itself, as on every other way in.
    answer: async (parts, asked, given) => await runToTheEnd(parts, asked, { endpoint: model.id, input: given }),
  };
}

/** `owner/name` is `owner_name`: clients take no slashes. Ids that only differ in what was replaced get a number. */
function freeName(id: string, taken: ReadonlySet<string>): string {
  const plain = id.replace(/[^A-Za-z0-9_-]/g, "_");
  for (let number = 1; ; number++) {
    const end = number === 1 ? "" : `_${number}`;
    const name = plain.slice(0, LONGEST_NAME - end.length) + end;
    if (!taken.has(name)) return name;
  }
}
