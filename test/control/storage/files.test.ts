// Files of jobs: found by token and name, and by nothing else.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFiles } from "../../../src/control/storage/files.ts";
import { mediaUrls } from "../../../src/control/storage/media-urls.ts";
import { referencedFiles } from "../../../src/control/storage/output-files.ts";
import { newFileToken } from "../../../src/core/ids.ts";
import { mediaUrl, Type } from "../../../src/core/schema.ts";
import { createStores } from "../../support/file-stores.ts";
import { testFolder } from "../../support/test-folder.ts";

const folder = testFolder("files");
const { store, removals, database } = createStores({ data: folder });
const files = createFiles({ root: folder, store, removals });

function put(name: string) {
  const token = newFileToken();
  mkdirSync(files.directory(token), { recursive: true });
  writeFileSync(join(files.directory(token), name), "content");
  return token;
}

test("a file is found by its job's token and its name", async () => {
  const token = put("image-1.png");
  expect(await files.find(token, "image-1.png")).toMatchObject({
    name: "image-1.png",
    contentType: "image/png",
    size: 7 as never,
  });
  expect(await files.find(token, "image-2.png")).toBeUndefined();
  expect(await files.find(newFileToken(), "image-1.png")).toBeUndefined();
});

test.each([
  "../secret",
  "..",
  ".",
  "",
  ".input",
  "a/b.png",
  "a\\b.png",
  "/etc/passwd",
  "a\0.png",
  "%2e%2e",
  `${"a".repeat(300)}.png`,
])("the name %p leads nowhere", async (name) => {
  writeFileSync(join(folder, "secret"), "secret");
  const token = put("a.png");
  mkdirSync(join(files.directory(token), ".input"), { recursive: true });
  expect(await files.find(token, name)).toBeUndefined();
});

test.each(["..", "../files", "", "a".repeat(22), "../../etc", "x".repeat(21)])(
  "the token %p leads nowhere",
  async (token) => {
    writeFileSync(join(folder, "a.png"), "secret");
    expect(await files.find(token, "a.png")).toBeUndefined();
  },
);

test("a folder and a link out of the folder are no files", async () => {
  const token = put("a.png");
  mkdirSync(join(files.directory(token), "folder"));
  symlinkSync("/etc/hostname", join(files.directory(token), "link.txt"));
  expect(await files.find(token, "folder")).toBeUndefined();
  expect(await files.find(token, "link.txt")).toBeUndefined();
});

test("what a browser could run is given out as bytes", async () => {
  for (const name of ["a.html", "a.svg", "a.js", "a", "a.xhtml"])
    expect((await files.find(put(name), name))?.contentType).toBe("application/octet-stream");
});

test("what is forgotten is found no more although it is still there, goes soon, and forgetting it again is no harm", async () => {
  const token = put("a.png");
  database.write(() => files.forget(token));
  database.write(() => files.forget(token));
  expect(await files.find(token, "a.png")).toBeUndefined();
  expect(existsSync(join(files.directory(token), "a.png"))).toBe(true);
  expect(await removals.work()).toBe(1);
  expect(existsSync(files.directory(token))).toBe(false);
  database.write(() => files.forget(token));
  expect(await removals.work()).toBe(1);
});

test("files that an output names are found however deep", () => {
  const output = {
    images: [{ url: "forecourt-file:a.png" }, { url: "data:," }],
    mask: { url: "forecourt-file:b.png" },
    n: null,
  };
  expect(referencedFiles(output)).toEqual(["a.png", "b.png"]);
});

test("URLs to fetch are those in fields of media, with their place; data URIs are not", () => {
  const schema = Type.Object({
    image_url: mediaUrl("image", "a"),
    prompt: Type.String(),
    loras: Type.Array(Type.Object({ image_url: mediaUrl("image", "b") })),
    frames: Type.Array(mediaUrl("image", "c")),
  });
  const input = {
    image_url: "https://a.example/1.png",
    prompt: "https://a.example/prompt",
    loras: [{ image_url: "data:image/png;base64,AA==" }, { image_url: "https://a.example/2.png" }],
    frames: ["https://a.example/3.png"],
  };
  expect(mediaUrls(schema, input)).toEqual([
    { loc: ["body", "image_url"], url: "https://a.example/1.png" },
    { loc: ["body", "loras", 1, "image_url"], url: "https://a.example/2.png" },
    { loc: ["body", "frames", 0], url: "https://a.example/3.png" },
  ]);
});

test("URLs in fields that may be of several kinds are found once", () => {
  const part = Type.Object({ image_url: mediaUrl("image", "a") });
  const input = Type.Union([Type.String(), Type.Array(Type.Union([Type.String(), part, part]))]);
  const schema = Type.Object({ input });
  const url = "https://a.example/1.png";
  expect(mediaUrls(schema, { input: [url, { image_url: url }] })).toEqual([
    { loc: ["body", "input", 1, "image_url"], url },
  ]);
  expect(mediaUrls(schema, { input: url })).toEqual([]);
});
