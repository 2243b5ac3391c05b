// Files of a run's output, written where the user wants them.
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { saveFiles } from "../../../src/cli/run/outcome.ts";
import { newFolder, removeFolders } from "../command.ts";

afterAll(removeFolders);

const outcome = (output: unknown) => ({
  requestId: "01a20193-94f3-7644-ba45-8920f2066831",
  output,
  open: async (url: string) => new TextEncoder().encode(`bytes of ${url}`),
});
const file = (name: string) => ({ url: `u:${name}`, content_type: "image/png", file_name: name, file_size: 3 });

test("every file of the output is saved, in order, under a name that tells model and request", async () => {
  const folder = join(newFolder(), "new", "pictures");
  const output = { images: [file("0.png"), file("1.png")], extra: { mask: file("m.webp") }, seed: 3 };
  const paths = await saveFiles(outcome(output), { model: "acme/painter", folder });
  expect(paths.map((path) => basename(path))).toEqual([
    "painter-f2066831-0.png",
    "painter-f2066831-1.png",
    "painter-f2066831-2.webp",
  ]);
  expect(readFileSync(paths[2] ?? "", "utf8")).toBe("bytes of u:m.webp");
});

test("a data URI without a file name gets its type's extension", async () => {
  const output = { images: [{ url: "data:image/jpeg;base64,AA==", content_type: "image/jpeg" }] };
  const [path = ""] = await saveFiles(outcome(output), { model: "a/b", folder: newFolder() });
  expect(path).toEndWith("b-f2066831-0.jpg");
});

test("a file name from the output can't lead out of the folder", async () => {
  const folder = newFolder();
  const [path = ""] = await saveFiles(outcome(file("../../../etc/x.png/../../y")), { model: "a/../..", folder });
  expect(path).toStartWith(`${folder}/`);
});

test("an output without files saves nothing and makes no folder", async () => {
  const folder = join(newFolder(), "never");
  expect(await saveFiles(outcome({ text: "hello", url: "https://x" }), { model: "a/b", folder })).toEqual([]);
  expect(await Bun.file(folder).exists()).toBe(false);
});
