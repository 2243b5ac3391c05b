// Names of a model's schemas in a document, as fal forms them: `fal-ai/flux/dev` -> FluxDevInput, FluxDevOutput.

/** The owner `fal-ai` goes without saying. */
export function pascalId(endpoint: string): string {
  const words = endpoint.replace(/^fal-ai\//, "").split(/[^A-Za-z0-9]+/);
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^\d/.test(name) ? `Model${name}` : name;
}

/** One name for each id, told apart by a number where two ids read alike. */
export function pascalIds(endpoints: string[]): Map<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const endpoint of endpoints) {
    const base = pascalId(endpoint);
    let name = base;
    for (let number = 2; taken.has(name); number++) name = `${base}${number}`;
    taken.add(name);
    names.set(endpoint, name);
  }
  return names;
}
