// A settings file (YAML) as values by dotted name; unknown names are refused, with the nearest known one.
import { ForecourtError } from "../../core/errors.ts";
import { readYaml } from "../../core/read-yaml.ts";
import { nearestNames } from "./nearest-names.ts";

/** Throws `misconfigured` for text that is not YAML and for names that are not settings. */
export function readSettingsFile(text: string, file: { path: string; known: string[] }): Map<string, unknown> {
  const values = new Map<string, unknown>();
  flatten(parseYaml(text, file.path), [], values, file);
  return values;
}

function parseYaml(text: string, path: string): unknown {
  try {
    return readYaml(text);
  } catch (error) {
    throw new ForecourtError(
      "misconfigured",
      `${path} is not valid YAML: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
}

function flatten(node: unknown, path: string[], values: Map<string, unknown>, file: { path: string; known: string[] }) {
  const name = path.join(".");
  if (file.known.includes(name)) {
    values.set(name, node);
    return;
  }
  const isGroup = name === "" || file.known.some((each) => each.startsWith(`${name}.`));
  if (!isGroup)
    throw new ForecourtError("misconfigured", `${file.path}: there is no setting ${name}.${hint(name, file.known)}`);
  if (node === null || node === undefined) return;
  if (typeof node !== "object" || Array.isArray(node))
    throw new ForecourtError("misconfigured", `${file.path}: ${name || "the file"} should be a mapping of settings.`);
  for (const [key, value] of Object.entries(node)) flatten(value, [...path, key], values, file);
}

function hint(name: string, known: string[]): string {
  const near = nearestNames(name, known);
  if (near.length > 0) return ` Did you mean ${near.join(" or ")}?`;
  const group = name.slice(0, name.lastIndexOf(".") + 1);
  return group === "" ? "" : ` There are ${known.filter((each) => each.startsWith(group)).join(", ")}.`;
}
