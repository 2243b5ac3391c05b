// The catalogue is read anew while it is used: what a file that is wrong, new, changed or gone does to what is served.
import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { testFolder } from "../../support/test-folder.ts";

const folder = testFolder("reload");

const text = (change: Record<string, unknown> = {}) =>
  `${YAML.stringify(
    {
      ...{ id: "acme/echo", title: "Echo", description: "Says it again.", category: "llm", pipeline: "echo" },
      licence: { id: "MIT", commercial: true },
      source: { embedded: "none" },
      memory: { weights: 1, working: 1 },
      price: { unit: "request", amount: 0, currency: "USD" },
      ...change,
    },
    null,
    2,
  )}\n`;

/** A catalogue over a folder of its own, with one built-in model of two aliases. */
function box(files: Record<string, string> = {}) {
  const data = mkdtempSync(join(folder, "box-"));
  const models = join(data, "models");
  mkdirSync(models);
  const write = (name: string, content: string) => writeFileSync(join(models, name), content);
  for (const [name, content] of Object.entries(files)) write(name, content);
  const carried = text({ id: "base/model", title: "Carried", aliases: ["fal-ai/one", "fal-ai/two"] });
  const catalog = createCatalog({ data, builtIn: [{ file: "models/base.yaml", text: carried }] });
  return {
    ...{ catalog, write, models },
    remove: (name: string) => rmSync(join(models, name)),
    title: (endpoint: string) => catalog.find(endpoint)?.model.title,
    reload() {
      const { added, changed, removed, wrong } = catalog.reload();
      return {
        added: added.map(({ model }) => model.id),
        changed: changed.map(({ entry }) => entry.model.id),
        removed: removed.map(({ model }) => model.id),
        wrong: wrong.map(({ file }) => file.slice(models.length + 1)),
      };
    },
  };
}

const nothing = { added: [], changed: [], removed: [], wrong: [] };

test("what was added, changed and removed is told, and all look-ups follow at once", () => {
  const { catalog, write, remove, reload, title } = box({ "a.yaml": text(), "b.yaml": text({ id: "acme/b" }) });
  const kept = catalog.find("acme/b");
  expect(reload()).toEqual(nothing);
  write("a.yaml", text({ title: "Changed", aliases: ["fal-ai/two"] }));
  write("c.yaml", text({ id: "acme/c" }));
  expect(reload()).toEqual({ ...nothing, added: ["acme/c"], changed: ["base/model", "acme/echo"] });
  expect([title("acme/echo"), title("fal-ai/two"), title("fal-ai/one")]).toEqual(["Changed", "Changed", "Carried"]);
  expect(catalog.find("acme/b")).toBe(kept as NonNullable<typeof kept>);
  remove("a.yaml");
  expect(reload()).toEqual({ ...nothing, changed: ["base/model"], removed: ["acme/echo"] });
  expect([title("acme/echo"), title("fal-ai/two")]).toEqual([undefined, "Carried"]);
});

test("at the start a wrong file serves nothing under the ids that it claims, and no built-in model does it instead", () => {
  const { catalog, title, models } = box({
    "a.yaml": text({ id: "base/model", pric: 1 }),
    "b.yaml": text({ id: "acme/b", aliases: ["fal-ai/two"], steps: 1 }),
  });
  expect([title("base/model"), title("acme/b"), title("fal-ai/two")]).toEqual([undefined, undefined, undefined]);
  expect(catalog.match("fal-ai/two/stream")).toBeUndefined();
  const refusal = catalog.refusal("base/model/stream");
  expect(refusal?.code).toBe("model_file_wrong");
  expect(refusal?.message).toContain("models/a.yaml: pric is not a field");
  expect(refusal?.message).not.toContain(models);
  expect(catalog.refusal("fal-ai/two")?.message).toContain("models/b.yaml: steps is not a field");
  expect(catalog.refusal("acme/none")).toBeUndefined();
});

test("a longer id that a wrong file claims is not taken for a path below a shorter one", () => {
  const { catalog } = box({ "a.yaml": text({ id: "base/model/turbo", pric: 1 }) });
  expect(catalog.match("base/model/turbo")).toBeUndefined();
  expect(catalog.match("base/model/stream")?.rest).toBe("/stream");
});

test("the id of a text that is no YAML is read from its lines", () => {
  const { catalog } = box({ "a.yaml": 'id: "base/model" # mine\naliases:\n  - fal-ai/own\ntitle: [' });
  expect(catalog.wrong()).toMatchObject([{ id: "base/model", claims: ["base/model", "fal-ai/own"] }]);
  expect(catalog.find("base/model")).toBeUndefined();
});

test("a file that becomes wrong keeps its model, until it is mended or removed", () => {
  const { catalog, write, remove, reload, title } = box({ "a.yaml": text() });
  write("a.yaml", text({ titel: "x" }));
  expect(reload()).toEqual({ ...nothing, wrong: ["a.yaml"] });
  expect(catalog.wrong()).toMatchObject([{ keeps: "acme/echo", reason: expect.stringContaining("titel") }]);
  expect([title("acme/echo"), catalog.refusal("acme/echo")]).toEqual(["Echo", undefined]);
  expect(reload()).toEqual({ ...nothing, wrong: ["a.yaml"] });
  write("a.yaml", text({ title: "Mended" }));
  expect(reload()).toEqual({ ...nothing, changed: ["acme/echo"] });
  write("a.yaml", "id: [");
  reload();
  expect(title("acme/echo")).toBe("Mended");
  remove("a.yaml");
  expect(reload()).toEqual({ ...nothing, removed: ["acme/echo"] });
});

test("a file that is renamed and wrong keeps the model too, since what was served is not taken away by a mistake", () => {
  const { models, write, reload, title } = box({ "a.yaml": text() });
  renameSync(join(models, "a.yaml"), join(models, "b.yaml"));
  write("b.yaml", text({ titel: "x" }));
  expect(reload()).toMatchObject({ removed: [], wrong: ["b.yaml"] });
  expect(title("acme/echo")).toBe("Echo");
});

test("a new file that is wrong takes no built-in model away that is being served; a start would not serve it", () => {
  const { write, reload, title, catalog } = box();
  write("a.yaml", text({ id: "base/model", titel: "x", aliases: ["fal-ai/own"] }));
  expect(reload()).toEqual({ ...nothing, wrong: ["a.yaml"] });
  expect(title("base/model")).toBe("Carried");
  expect(catalog.refusal("fal-ai/own")?.code).toBe("model_file_wrong");
});

test("two files that claim one id are both wrong and both named, whichever comes first", () => {
  const { catalog, models } = box({
    "a.yaml": text({ aliases: ["fal-ai/own"] }),
    "b.yaml": text({ id: "fal-ai/own" }),
    "c.yaml": text({ id: "acme/c" }),
  });
  expect(catalog.wrong().map(({ reason }) => reason)).toEqual([
    `${models}/a.yaml: the id fal-ai/own is already taken by ${models}/b.yaml.`,
    `${models}/b.yaml: the id fal-ai/own is already taken by ${models}/a.yaml.`,
  ]);
  expect(catalog.list().map(({ model }) => model.id)).toEqual(["base/model", "acme/c"]);
  const refusal = catalog.refusal("fal-ai/own");
  expect(refusal?.message).toContain("models/a.yaml: the id");
  expect(refusal?.message).toContain("models/b.yaml: the id");
});

test("a second file for an id that is served changes nothing of what is served", () => {
  const { catalog, write, reload, title } = box({ "a.yaml": text() });
  write("0.yaml", text({ title: "Rival" }));
  expect(reload()).toEqual({ ...nothing, wrong: ["0.yaml", "a.yaml"] });
  expect(title("acme/echo")).toBe("Echo");
  expect(catalog.wrong().map(({ keeps }) => keeps)).toEqual([undefined, "acme/echo"]);
});

test("an id goes from a file that does not claim it any more to one that does", () => {
  const { write, reload, title } = box({ "a.yaml": text() });
  write("a.yaml", text({ id: "acme/other", titel: "x" }));
  write("b.yaml", text({ title: "Moved" }));
  expect(reload()).toEqual({ ...nothing, changed: ["acme/echo"], wrong: ["a.yaml"] });
  expect(title("acme/echo")).toBe("Moved");
});

test("an alias that is a built-in model's id is refused as before, and the built-in model stays", () => {
  const { catalog, title } = box({ "a.yaml": text({ aliases: ["base/model"] }) });
  expect(catalog.wrong()[0]?.reason).toMatch(/a\.yaml: the id base\/model is already taken by the built-in model/);
  expect(title("base/model")).toBe("Carried");
  expect(catalog.refusal("acme/echo")?.code).toBe("model_file_wrong");
});

const nested = `${text()}defaults:\n  a: ${"[".repeat(100_000)}\n`;
const bomb = `${text()}tags: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefghi"]
  .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[at]}`).join(",")}]`)
  .join("\n")}\n`;

test.each([
  ["a link to a device", (path: string) => symlinkSync("/dev/zero", path), /no plain file/],
  ["a pipe", (path: string) => void execFileSync("mkfifo", [path]), /no plain file/],
  ["a folder", (path: string) => mkdirSync(path), /no plain file/],
  ["a link to nothing", (path: string) => symlinkSync("/nowhere/x.yaml", path), /ENOENT/],
  ["a huge file", (path: string) => writeFileSync(path, Buffer.alloc(64 * 1024 * 1024, "a: 1\n")), /larger than the/],
  ["bytes", (path: string) => writeFileSync(path, new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe])), /UTF-8/],
  ["zeroes", (path: string) => writeFileSync(path, new Uint8Array(1000)), /UTF-8/],
  ["lists a hundred thousand deep", (path: string) => writeFileSync(path, nested), /not valid YAML, .*stack/],
  ["a bomb of aliases", (path: string) => writeFileSync(path, bomb), /not valid YAML, .*alias/],
  ["an alias of itself", (path: string) => writeFileSync(path, `${text()}tags: &a [*a]\n`), /nested more than/],
])("%s is told as wrong and costs the others nothing", (_, make, reason) => {
  const { catalog, models, reload, title } = box({ "a.yaml": text() });
  make(join(models, "b.yaml"));
  expect(reload()).toEqual({ ...nothing, wrong: ["b.yaml"] });
  expect(catalog.wrong()[0]?.reason).toMatch(reason);
  expect([title("acme/echo"), title("base/model")]).toEqual(["Echo", "Carried"]);
});

test("a link to a model file is read, and a mark at its beginning is none of its text", () => {
  const { models, reload, title } = box();
  writeFileSync(join(folder, "elsewhere"), `\ufeff${text()}`);
  symlinkSync(join(folder, "elsewhere"), join(models, "a.yaml"));
  expect(reload()).toEqual({ ...nothing, added: ["acme/echo"] });
  expect(title("acme/echo")).toBe("Echo");
});
