// `$input.prompt`, `$node.images.0.url`: whole texts that stand for a value of the input or of another node's output.

export type Reference = { node: string; path: string[] };

/** The node that means the workflow's own input. */
export const INPUT = "input";

const REFERENCE = /^\$([A-Za-z_][\w-]*)((?:\.[\w-]+)*)$/;

/** Undefined for plain texts; `$$` at the beginning is a dollar sign. */
export function referenceIn(value: unknown): Reference | undefined {
  const [, node, path = ""] = typeof value === "string" ? (REFERENCE.exec(value) ?? []) : [];
  return node === undefined ? undefined : { node, path: path.split(".").slice(1) };
}

export type FoundReference = Reference & { loc: (string | number)[] };

/** All references in a value, however deep, each with where it stands. */
export function referencesIn(value: unknown, loc: (string | number)[]): FoundReference[] {
  const reference = referenceIn(value);
  if (reference) return [{ ...reference, loc }];
  if (Array.isArray(value)) return value.flatMap((each, at) => referencesIn(each, [...loc, at]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => referencesIn(each, [...loc, name]));
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: string[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}

/**
 * A copy with `look(reference)` in place of every reference. Fields whose reference leads to nothing are left out, as if
 * they had not been given.
 */
export function resolved(value: unknown, look: (reference: Reference) => unknown): unknown {
  const reference = referenceIn(value);
  if (reference) return look(reference);
  if (typeof value === "string" && value.startsWith("$$")) return value.slice(1);
  if (Array.isArray(value)) return value.map((each) => resolved(each, look)).filter((each) => each !== undefined);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => [name, resolved(each, look)] as const);
  return Object.fromEntries(fields.filter(([, each]) => each !== undefined));
}
