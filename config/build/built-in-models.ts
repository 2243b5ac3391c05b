// The executable's models, read and checked while it is built: parsing them all takes longer than the rest of a start.
import { resolve } from "node:path";
import type { BunPlugin } from "bun";
import { readBuiltIn } from "../../src/control/catalog/built-in.ts";
import { ROOT } from "./root.ts";

const FILE = resolve(ROOT, "src/control/catalog/built-in.ts");

/** Throws `misconfigured` for a file of models/ that is wrong. */
export const builtInModels = (): BunPlugin => ({
  name: "built-in-models",
  setup(build) {
    // As a text: a literal of this size would be compiled like a program.
    const text = JSON.stringify(JSON.stringify(readBuiltIn()));
    build.onLoad({ filter: /\/catalog\/built-in\.ts$/ }, ({ path }) => {
      if (path !== FILE) throw new Error(`${path} is not the file of the built-in models`);
      return { contents: `export const readBuiltIn = () => JSON.parse(${text});`, loader: "js" };
    });
  },
});
