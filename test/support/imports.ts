// The imports of a source text, as written.

const STATIC = /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']/g;

/** `types`: also what is imported only as a type. `dynamic`: also `import()` in the middle of code. */
export function importsOf(text: string, { types = true, dynamic = true } = {}): string[] {
  const statics = [...text.matchAll(STATIC)].filter((match) => types || !isTypeOnly(match)).map((match) => match[2]);
  const dynamics = dynamic ? [...text.matchAll(DYNAMIC)].map((match) => match[1]) : [];
  return [...statics, ...dynamics].filter((specifier) => specifier !== undefined);
}

/** `import type { A }`, or `import { type A, type B }`. */
function isTypeOnly([statement, type]: RegExpMatchArray): boolean {
  if (type !== undefined) return true;
  const names = /\{([^}]*)\}/.exec(statement)?.[1];
  if (names === undefined || /^(?:import|export)\s+\w+\s*,/.test(statement)) return false;
  const each = names.split(",").filter((name) => name.trim() !== "");
  return each.length > 0 && each.every((name) => name.trim().startsWith("type "));
}
