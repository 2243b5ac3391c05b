// Patterns of model ids: `*` stands for any characters, slashes included, `?` for one; all else for itself.

const compiled = new Map<string, RegExp>();
/** Patterns come from operators, not from callers; this bounds what renamed ones leave behind. */
const MOST = 10_000;

function regExpOf(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  if (compiled.size >= MOST) compiled.clear();
  const source = pattern
    .replace(/[\\^$.+(){}[\]|/-]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  const made = new RegExp(`^${source}$`);
  compiled.set(pattern, made);
  return made;
}

/** Does any pattern fit any of a model's names (its id and aliases)? */
export const matchesModel = (patterns: readonly string[], names: readonly string[]) =>
  patterns.some((pattern) => names.some((name) => regExpOf(pattern).test(name)));

/** Absent `models` = all. */
export const mayUse = (
  key: { models?: string[] } | undefined,
  model: { id: string; aliases: readonly string[] },
): boolean => key?.models === undefined || matchesModel(key.models, [model.id, ...model.aliases]);
