// Builds the executable: `bun run build [--arch x64|arm64] [--outfile PATH]` -> dist/forecourt.
import { renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { builtInModels } from "./build/built-in-models.ts";
import { demoWeights } from "./build/demo-weights.ts";
import { type Architecture, nativeFiles, nativeLoaders } from "./build/natives.ts";
import { ROOT } from "./build/root.ts";
import { stageFolders } from "./build/stage.ts";

export type BuildOptions = {
  /** TypeScript file that becomes the program; default src/main.ts. */
  entry?: string;
  outfile?: string;
  /** Default: this machine's. Another one needs `bun install --os linux --cpu ARCH` first. */
  architecture?: Architecture;
};

/** Resolves to the executable's path; a failed bundle throws with every message. */
export async function build(options: BuildOptions = {}): Promise<string> {
  const architecture = options.architecture ?? (process.arch === "arm64" ? "arm64" : "x64");
  const outfile = resolve(ROOT, options.outfile ?? "dist/forecourt");
  const natives = nativeFiles(architecture);
  const work = `${outfile}.work-${process.pid}`;
  const draft = resolve(work, "forecourt");
  const stage = resolve(work, "embedded");
  stageFolders(stage, { native: natives, ...demoWeights() });
  try {
    await Bun.build({
      entrypoints: [resolve(ROOT, options.entry ?? "src/main.ts")],
      target: "bun",
      compile: {
        target: `bun-linux-${architecture}`,
        outfile: draft,
        assets: [stage],
        // The program must not change with the directory that it is started from.
        autoloadDotenv: false,
        autoloadBunfig: false,
      },
      minify: true,
      // A command loads only its own part, compiled already: `version` takes 30 ms instead of 130.
      format: "esm",
      splitting: true,
      bytecode: true,
      plugins: [nativeLoaders(natives), builtInModels()],
      define: { "globalThis.FORECOURT_COMMIT": JSON.stringify(commit()) },
    });
    // A server that runs from the former file goes on with it.
    renameSync(draft, outfile);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return outfile;
}

/** Of the checkout; `unknown` in an unpacked source archive. */
function commit(): string {
  const git = Bun.spawnSync(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"]);
  return git.success ? git.stdout.toString().trim() : "unknown";
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { arch: { type: "string" }, outfile: { type: "string" } } });
  if (values.arch !== undefined && values.arch !== "x64" && values.arch !== "arm64") {
    throw new Error("--arch is x64 or arm64");
  }
  const path = await build({
    ...(values.arch !== undefined && { architecture: values.arch }),
    ...(values.outfile !== undefined && { outfile: values.outfile }),
  });
  process.stdout.write(`${path} (${(statSync(path).size / 1e6).toFixed(0)} MB)\n`);
}
