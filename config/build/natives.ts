// Native libraries in the executable: which files, in which layout, and loaders that open them where they are unpacked.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { ROOT } from "./root.ts";

export type Architecture = "x64" | "arm64";

/** What is embedded: path inside the folder -> file to read. */
export type FileSet = Map<string, string>;

const NATIVE = resolve(ROOT, "src/engine/runner/native.ts");
const MODULES = resolve(ROOT, "node_modules");

/**
 * onnxruntime's binding finds its library beside it ($ORIGIN); sharp's finds libvips at
 * $ORIGIN/../../sharp-libvips-linux-<arch>/lib. Throws when a package for that architecture is not installed.
 */
export function nativeFiles(architecture: Architecture): FileSet {
  const files: FileSet = new Map();
  const add = (from: string, to: string, wanted: RegExp) => {
    const folder = resolve(MODULES, from);
    // Providers of a vendor's libraries are not embedded; running from source links them into this folder.
    const isOurs = (name: string) => wanted.test(name) && !name.startsWith("libonnxruntime_providers_");
    const found = existsSync(folder) ? readdirSync(folder).filter(isOurs) : [];
    if (found.length === 0) {
      throw new Error(`no libraries in ${folder}: run \`bun install --os linux --cpu ${architecture}\` first`);
    }
    for (const name of found) files.set(join(to, name), resolve(MODULES, from, name));
  };
  add(`onnxruntime-node/bin/napi-v6/linux/${architecture}`, "onnxruntime", /\.node$|\.so(\.\d+)*$/);
  for (const name of [`sharp-linux-${architecture}`, `sharp-libvips-linux-${architecture}`]) {
    add(`@img/${name}/lib`, `${name}/lib`, /\.node$|\.so(\.\d+)*$/);
  }
  return files;
}

/** Replaces the `require`s of .node files and of onnxruntime, which work from a path that exists only in node_modules. */
export function nativeLoaders(files: FileSet): BunPlugin {
  const pathOf = (wanted: RegExp) => {
    const path = [...files.keys()].find((each) => wanted.test(each));
    if (!path) throw new Error(`no native library like ${wanted}`);
    return JSON.stringify(path);
  };
  const openNative = `require(${JSON.stringify(NATIVE)}).openNative`;
  return {
    name: "native-loaders",
    setup(build) {
      build.onLoad({ filter: /onnxruntime-node\/dist\/binding\.js$/ }, async ({ path }) => {
        const source = await Bun.file(path).text();
        const call = /require\(`\.\.\/bin\/[^`]*onnxruntime_binding\.node`\)/;
        if (!call.test(source))
          throw new Error(`${path} no longer loads its binding as config/build/natives.ts expects`);
        return {
          contents: source.replace(call, `${openNative}(${pathOf(/onnxruntime_binding\.node$/)})`),
          loader: "js",
        };
      });
      build.onLoad({ filter: /@huggingface\/transformers\/dist\/transformers\.node\.mjs$/ }, async ({ path }) => {
        const source = await Bun.file(path).text();
        const call = 'requireFromHere("onnxruntime-node")';
        if (!source.includes(call))
          throw new Error(`${path} no longer loads onnxruntime as config/build/natives.ts expects`);
        // A bundler cannot see what `createRequire` makes.
        const seen = source.replace(call, "ortOfTheBundle");
        return { contents: `import * as ortOfTheBundle from "onnxruntime-node";\n${seen}`, loader: "js" };
      });
      build.onLoad({ filter: /sharp\/dist\/sharp\.mjs$/ }, () => {
        return {
          contents: `import { openNative } from ${JSON.stringify(NATIVE)};
const sharp = openNative(${pathOf(/sharp-linux-[^/]*\.node$/)});
if (process.arch === "x64" && !sharp._isUsingX64V2()) throw new Error("the image codec needs a processor of x86-64-v2");
export default sharp;`,
          loader: "js",
        };
      });
    },
  };
}
