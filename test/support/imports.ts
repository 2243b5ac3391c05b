// The imports of a source text, as written.

const STATIC = /^(?:import|export)\s+(?:type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']/g;

/** `dynamic`: also `import()` in the middle of code. */
export function importsOf(text: string, { dynamic = true } = {}): string[] {
  const statics = [...text.matchAll(STATIC)].map((match) => match[1]);
  const dynamics = dynamic ? [...text.matchAll(DYNAMIC)].map((match) => match[1]) : [];
  return [...statics, ...dynamics].filter((specifier) => specifier !== undefined);
}
