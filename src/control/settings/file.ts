// A settings file (YAML) as values by dotted name; unknown names are refused, with the nearest known one.
import { YAML } from "bun";
import { ForecourtError } from "../../core/errors.ts";

/** Throws `misconfigured` for text that is not YAML and for names that are not settings. */
export function readSettingsFile(text: string, file: { path: string; known: string[] }): Map<string, unknown> {
  const values = new Map<string, unknown>();
  flatten(parseYaml(text, file.path), [], values, file);
  return values;
}

function parseYaml(text: string, path: string): unknown {
  try {
    return YAML.parse(text);
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

/** Those that are written much alike, in whatever group, or else all of its own group. */
function hint(name: string, known: string[]): string {
  const last = bare(lastPart(name));
  const like = (is: (other: string) => boolean) => known.filter((each) => is(bare(lastPart(each))));
  const ways = [
    like((other) => other === last),
    like((other) => last.length > 3 && other.includes(last)),
    like((other) => last.length > 2 && isSlip(other, last)),
  ];
  const near = ways.find((names) => names.length > 0);
  if (near) return ` Did you mean ${near.join(" or ")}?`;
  const group = name.slice(0, name.lastIndexOf(".") + 1);
  return group === "" ? "" : ` There are ${known.filter((each) => each.startsWith(group)).join(", ")}.`;
}

/** One letter too many, too few or another, or two that changed places. */
function isSlip(word: string, typed: string): boolean {
  let at = 0;
  while (at < word.length && word[at] === typed[at]) at++;
  const [wordRest, typedRest] = [word.slice(at), typed.slice(at)];
  const isSwap = wordRest[0] === typedRest[1] && wordRest[1] === typedRest[0];
  return [
    [wordRest.slice(1), typedRest.slice(1)],
    [wordRest.slice(1), typedRest],
    [wordRest, typedRest.slice(1)],
    ...(isSwap ? [[wordRest.slice(2), typedRest.slice(2)]] : []),
  ].some(([a, b]) => a === b);
}

const lastPart = (name: string) => name.slice(name.lastIndexOf(".") + 1);
const bare = (word: string) => word.replaceAll(/[_-]/g, "").toLowerCase();
