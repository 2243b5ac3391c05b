// Fields that a schema does not know: in files that people write they are spelling mistakes.
import type { TSchema } from "./schema.ts";

/** `known` are the names that there are in its place. */
type Unknown = { path: string[]; known: string[] };

/** Every field, at any depth, that the schema does not name; the parser drops them. */
export function unknownFields(schema: TSchema, value: unknown, path: string[] = []): Unknown[] {
  if (schema.anyOf) {
    const branches: TSchema[] = schema.anyOf.filter((branch: TSchema) => isMeant(branch, value));
    return bestBranch(branches.map((branch) => unknownFields(branch, value, path)));
  }
  if (Array.isArray(value) && schema.items)
    return value.flatMap((each, at) => unknownFields(schema.items, each, [...path, String(at)]));
  if (!isMapping(value)) return [];
  const [record] = Object.entries<TSchema>(schema.patternProperties ?? {});
  if (record) {
    const [pattern, entries] = record;
    return Object.entries(value).flatMap(([name, each]) => {
      const here = [...path, name];
      return new RegExp(pattern).test(name)
        ? unknownFields(entries, each, here)
        : [{ path: here, known: [`names like ${pattern}`] }];
    });
  }
  if (!schema.properties) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const here = [...path, name];
    const property: TSchema | undefined = schema.properties[name];
    return property ? unknownFields(property, field, here) : [{ path: here, known: Object.keys(schema.properties) }];
  });
}

/** False for a branch that names itself (`kind: image`) where the value names another. */
const isMeant = ({ properties = {} }: TSchema, value: unknown) =>
  !isMapping(value) ||
  Object.entries<TSchema>(properties).every(([name, each]) => each.const === undefined || each.const === value[name]);

const bestBranch = (branches: Unknown[][]): Unknown[] => branches.toSorted((a, b) => a.length - b.length)[0] ?? [];

export const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
