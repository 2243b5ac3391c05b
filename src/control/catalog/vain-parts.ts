// Of the operator's model files, what changes nothing: files that are not read, and parts of those that are which no model has.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fieldProblems } from "../../core/field-problems.ts";
import type { Catalog } from "./catalog.ts";
import type { CatalogEntry } from "./catalog-entry.ts";
import { BUILT_IN } from "./entry.ts";
import { isModelFile, MOST_BYTES, modelsFolder } from "./operator-files.ts";

export type VainPart = { what: string; remedy: string };

export const vainParts = ({ data, catalog }: { data: string; catalog: Pick<Catalog, "list"> }): VainPart[] => [
  ...unreadFiles(modelsFolder(data)),
  ...catalog.list().flatMap((entry) => (entry.origin === BUILT_IN ? [] : vainIn(entry))),
];

function vainIn({ model, input, frame, origin }: CatalogEntry): VainPart[] {
  const names = Object.keys(input.properties).join(", ");
  const examples = model.examples.flatMap((example, at) =>
    Object.entries(example).flatMap(([name, value]) => {
      const place = `${origin}: examples.${at}.${name}`;
      const schema = input.properties[name];
      if (!schema) return [{ what: `${place} is no input of the model`, remedy: `its inputs are ${names}` }];
      const [problem] = fieldProblems(schema, value, []);
      return problem ? [{ what: `${place} would be refused`, remedy: problem.msg }] : [];
    }),
  );
  if (frame || Object.keys(model.realtime.defaults).length === 0) return examples;
  const what = `${origin}: realtime.defaults change nothing`;
  return [...examples, { what, remedy: `the pipeline ${model.pipeline} has no realtime connections; remove them` }];
}

/** What looks as if it was to be one; other files may lie there. */
function unreadFiles(folder: string): VainPart[] {
  const remedy = `model files lie in ${folder} itself and end in .yaml or .yml, in small letters: move, rename or remove it`;
  const top = filesIn(folder).filter((path) => !isModelFile(path) && /\.(ya?ml|json)$/i.test(path));
  const below = filesIn(folder)
    .flatMap(filesIn)
    .filter((path) => isModelFile(path) && isOfModel(path));
  return [...top, ...below].map((file) => ({ what: `${file} is not read`, remedy }));
}

/** Paths of what lies there; none where there is no folder, or none that may be read. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // what this account cannot see is nothing that it could read as a model
  }
}

/** Repositories of weights have such files, too. */
function isOfModel(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size > MOST_BYTES) return false;
  const text = readFileSync(file, "utf8");
  return /^id:/m.test(text) && /^pipeline:/m.test(text);
}
