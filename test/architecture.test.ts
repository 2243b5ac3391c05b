// The rules of the house, held: floors, who may import what, sizes, and that nothing is left unregistered.
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pipelines } from "../src/engine/pipelines/registry.ts";
import { functionLengths } from "./support/function-lengths.ts";
import { importsOf } from "./support/imports.ts";

const ROOT = join(import.meta.dir, "..");
const FLOORS = ["core", "engine", "control", "gateway", "cli"];

type Source = { path: string; text: string; imports: string[] };

const listFiles = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name))
    .sort();

const sources: Source[] = listFiles("src").map((path) => {
  const text = readFileSync(join(ROOT, path), "utf8");
  return { path, text, imports: importsOf(text) };
});

const floorOf = (path: string): number => {
  const folder = path.split("/")[1] ?? "";
  return folder.endsWith(".ts") ? FLOORS.length : FLOORS.indexOf(folder);
};
/** The imported file, relative to the root; undefined for packages. */
const target = (from: string, specifier: string) =>
  specifier.startsWith(".") ? relative(ROOT, resolve(ROOT, dirname(from), specifier)) : undefined;

/** `path -> import` for every import that breaks the rule. */
const breaches = (isBreach: (source: Source, specifier: string, to: string | undefined) => boolean) =>
  sources.flatMap((source) =>
    source.imports
      .filter((specifier) => isBreach(source, specifier, target(source.path, specifier)))
      .map((specifier) => `${source.path} -> ${specifier}`),
  );

test("the rules see the sources", () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.find(({ path }) => path === "src/control/appliance.ts")?.imports).toContain("./jobs/jobs.ts");
});

describe("floors", () => {
  test("every folder of src/ is a floor", () => {
    expect(sources.filter(({ path }) => floorOf(path) < 0).map(({ path }) => path)).toEqual([]);
  });

  test("imports point to the same floor or below", () => {
    expect(breaches(({ path }, _, to) => to?.startsWith("src/") === true && floorOf(to) > floorOf(path))).toEqual([]);
  });

  test("nothing outside of src/ is imported, but the package's own facts and assets of packages", () => {
    const allowed = (to: string) => to.startsWith("src/") || to === "package.json" || to.startsWith("node_modules/");
    expect(breaches((_, __, to) => to !== undefined && !allowed(to))).toEqual([]);
  });

  test("only cli/runner.ts reaches the runner's side, and it does so when it is called", () => {
    const isInside = (path: string) => path.startsWith("src/engine/runner/");
    const outside = breaches(({ path }, _, to) => to !== undefined && isInside(to) && !isInside(path));
    expect(outside.filter((each) => !each.startsWith("src/cli/runner.ts"))).toEqual([]);
    const statics = sources
      .filter(({ path }) => path === "src/cli/runner.ts")
      .map(({ text }) => importsOf(text, { dynamic: false }));
    expect(statics.flat().filter((specifier) => specifier.includes("engine/runner"))).toEqual([]);
  });

  test("there are no import cycles", () => {
    expect(findCycle()).toEqual([]);
  });

  test("the policy of the scheduler imports nothing that acts", () => {
    const names = [
      "decide",
      "affinity",
      "batch",
      "evict",
      "fairness",
      "fit",
      "next-look",
      "place",
      "plan",
      "popularity",
    ];
    const pure = [...names, "queues", "refuse", "reload", "renew", "replicas", "situation"].map(
      (name) => `src/control/scheduler/${name}.ts`,
    );
    for (const path of pure) expect(existsSync(join(ROOT, path))).toBe(true);
    const isAllowed = (to: string | undefined) =>
      to !== undefined && (to.startsWith("src/core/") || pure.includes(to) || to === "src/control/fleet/events.ts");
    expect(breaches(({ path }, _, to) => pure.includes(path) && !isAllowed(to))).toEqual([]);
    const decide = sources.find(({ path }) => path === pure[0]);
    expect(decide?.text).toMatch(/import type .* from "\.\.\/fleet\/events\.ts"/);
    expect(decide?.text).not.toContain("await");
  });
});

/** Types count: who reads one of two files that need each other has to read both. */
function findCycle(): string[] {
  const graph = new Map(
    sources.map(({ path, text }) => [
      path,
      importsOf(text, { dynamic: false }).flatMap((specifier) => target(path, specifier) ?? []),
    ]),
  );
  const done = new Set<string>();
  const visit = (path: string, way: string[]): string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    done.add(path);
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...way, path]);
      if (cycle.length > 0) return cycle;
    }
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe("each foreign thing has its place", () => {
  const places: [string, RegExp, RegExp][] = [
    ["elysia", /^(elysia|@elysiajs\/.*)$/, /^src\/gateway\//],
    ["typebox", /^@sinclair\/typebox/, /^src\/core\/(schema|field-problems)\.ts$/],
    ["native packages", /^(onnxruntime-node|sharp)$/, /^src\/engine\/runner\//],
    ["transformers.js", /^@huggingface\/transformers$/, /^src\/engine\/runner\/transformers-library\.ts$/],
    ["jinja", /^@huggingface\/jinja$/, /^src\/engine\/text\/chat-template\.ts$/],
    ["tokenizers", /^@huggingface\/tokenizers$/, /^src\/engine\/text\/tokenizer\.ts$/],
    ["gltf-transform", /^@gltf-transform\//, /^src\/engine\/media\/glb\.ts$/],
    ["bun:sqlite", /^bun:sqlite$/, /^src\/control\/database\//],
    ["drizzle", /^drizzle-orm/, /^src\/control\/(database\/|.*\.table\.ts$|.*-store\.ts$|keys\/(known-)?keys\.ts$)/],
    ["prom-client", /^prom-client$/, /^src\/control\/metrics\/registry\.ts$/],
    ["aws4fetch", /^aws4fetch$/, /^src\/control\/storage\/s3-request\.ts$/],
    ["pino", /^pino$/, /^src\/core\/log\.ts$/],
    ["opentelemetry", /^@opentelemetry\//, /^src\/control\/tracing\/spans\.ts$/],
    ["the MCP SDK", /^@modelcontextprotocol\//, /^src\/gateway\/mcp\/protocol\.ts$/],
    ["commander", /^commander$/, /^src\/(cli\/|main\.ts)/],
  ];
  test.each(places)("%s is imported nowhere else", (_, packages, place) => {
    expect(breaches(({ path }, specifier) => packages.test(specifier) && !place.test(path))).toEqual([]);
    expect(breaches(({ path }, specifier) => packages.test(specifier) && place.test(path))).not.toEqual([]);
  });

  const words: [string, RegExp, RegExp][] = [
    ["process.env", /\bprocess\.env\b|\bBun\.env\b|import\.meta\.env/, /^src\/control\/settings\.ts$/],
    [
      "Bun.spawn",
      /\bBun\.spawn|node:child_process/,
      /^src\/(control\/(fleet\/spawn\.ts|hardware\/)|cli\/(bench\/own-process|rollback\/ask-version)\.ts|engine\/runner\/(convert-sound|phonemes)\.ts)/,
    ],
    ["Bun's S3 client", /\bS3Client\b|\bBun\.s3\b/, /^$/],
    ["process.exit", /\bprocess\.exit\(/, /^src\/(main\.ts|cli\/(runner|serve\/stop-signals)\.ts|engine\/runner\/)/],
    ["console", /\bconsole\./, /^$/],
    ["default exports", /^export default /m, /^$/],
    ["any", /(:|<|as) any\b/, /^$/],
    ["enum", /^(export )?(const )?enum /m, /^$/],
  ];
  test.each(words)("%s is used nowhere else", (_, word, place) => {
    const found = sources.filter(({ path, text }) => word.test(codeOf(text)) && !place.test(path));
    expect(found.map(({ path }) => path)).toEqual([]);
  });
});

/** Comments and texts (examples in documentation) may name what code may not use. */
const codeOf = (text: string) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/ .*$/gm, "")
    .replace(/`(?:\\.|[^`\\])*`/gs, "``");

describe("sizes and names", () => {
  const LONGEST_FILE = 400;
  const LONGEST_FUNCTION = 80;
  /** May only shrink. */
  const EXCEPTIONS: string[] = [];

  test("no file is longer than 400 lines", () => {
    const long = sources.filter(
      ({ path, text }) => text.split("\n").length > LONGEST_FILE && !EXCEPTIONS.includes(path),
    );
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test("no function is longer than 80 lines", () => {
    const long = sources.flatMap(({ path, text }) =>
      functionLengths(text)
        .filter(({ lines }) => lines > LONGEST_FUNCTION)
        .map(({ name, lines }) => `${path} ${name}: ${lines}`),
    );
    expect(long).toEqual([]);
  });

  test("every file begins with what it is for", () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?\/\/ \S/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test("names hide no missing noun", () => {
    const vague = /(^|[/-])(utils?|helpers?|common|managers?|services?|base|misc)([-./]|$)/;
    expect(sources.filter(({ path }) => vague.test(path)).map(({ path }) => path)).toEqual([]);
    expect(sources.filter(({ path }) => !/^[a-z0-9./-]+$/.test(path)).map(({ path }) => path)).toEqual([]);
  });
});

test("every pipeline is registered under the name of its file", () => {
  const files = readdirSync(join(ROOT, "src/engine/pipelines")).filter((name) => name !== "registry.ts");
  const names = files.map((name) => name.replace(/\.ts$/, "")).sort();
  expect(names).toEqual(Object.keys(pipelines).sort());
});
