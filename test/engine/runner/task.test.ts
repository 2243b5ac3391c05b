import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FieldProblem } from "../../../src/core/errors.ts";
import { createTask, safeName } from "../../../src/engine/runner/task.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "forecourt-task-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const taskWith = (input: Record<string, unknown>, media: Record<string, string> = {}) =>
  createTask({ job: { input, directory, media }, log: () => {} });

const readMedia = async (url: string) => new TextDecoder().decode(await taskWith({ image_url: url }).media(url));

async function problemOf(url: string, input: Record<string, unknown> = { image_url: url }): Promise<FieldProblem> {
  const error = await taskWith(input)
    .media(url)
    .then(
      () => undefined,
      (thrown: { problems: FieldProblem[] }) => thrown,
    );
  const problem = error?.problems[0];
  if (!problem) throw new Error(`${url} was read`);
  return problem;
}

test("a saved file is there under the name that the answer gives", async () => {
  const saved = await taskWith({}).save(new Uint8Array([1, 2, 3]), { name: "a.png", contentType: "image/png" });
  expect(saved).toEqual({
    url: "forecourt-file:a.png",
    content_type: "image/png",
    file_name: "a.png",
    file_size: 3,
  });
  expect([...(await Bun.file(join(directory, "a.png")).bytes())]).toEqual([1, 2, 3]);
  expect((await readdir(directory)).filter((name) => name.startsWith("."))).toEqual([]);
});

test("names cannot leave the folder, hide or surprise a shell", () => {
  expect(safeName("../../etc/passwd")).toBe("passwd");
  expect(safeName("..\\x\\y.png")).toBe("y.png");
  expect(safeName(".bashrc")).toBe("_bashrc");
  expect(safeName("..")).toBe("_");
  expect(safeName("")).toBe("file");
  expect(safeName("dir/")).toBe("file");
  expect(safeName("a b;$(c)\n.png")).toBe("a_b___c__.png");
  expect(safeName("日本.png")).toBe("__.png");
  const long = safeName(`${"a".repeat(500)}.png`);
  expect(long).toHaveLength(200);
  expect(long).toEndWith(".png");
});

test("two files of one name are a fault of the pipeline", async () => {
  const task = taskWith({});
  await task.save(new Uint8Array(1), { name: "twice.png", contentType: "image/png" });
  await expect(task.save(new Uint8Array(1), { name: "twice.png", contentType: "image/png" })).rejects.toThrow(
    "twice.png",
  );
});

test("a folder that is not there yet is made, closed to others", async () => {
  const inner = join(directory, "new");
  const task = createTask({ job: { input: {}, directory: inner, media: {} }, log: () => {} });
  await task.save(new Uint8Array(1), { name: "a.png", contentType: "image/png" });
  expect((await stat(inner)).mode & 0o777).toBe(0o700);
  expect((await stat(join(inner, "a.png"))).mode & 0o777).toBe(0o600);
});

test("a file that cannot be written fails and leaves nothing behind", async () => {
  await mkdir(join(directory, "taken.png"));
  const before = await readdir(directory);
  const file = { name: "taken.png", contentType: "image/png" };
  await expect(taskWith({}).save(new Uint8Array(1), file)).rejects.toThrow("EISDIR");
  expect(await readdir(directory)).toEqual(before);
});

test("data URIs of every writing are decoded", async () => {
  const text = "hé?>";
  const base64 = Buffer.from(text).toString("base64");
  expect(await readMedia(`data:text/plain;base64,${base64}`)).toBe(text);
  expect(await readMedia(`data:text/plain;charset=utf-8;base64,${base64.replace(/=+$/, "")}`)).toBe(text);
  expect(await readMedia(`data:;base64,${Buffer.from(text).toString("base64url")}`)).toBe(text);
  expect(await readMedia(`DATA:image/png;BASE64,${base64.slice(0, 4)}\n ${base64.slice(4)}`)).toBe(text);
  expect(await readMedia(`data:;base64,${encodeURIComponent(base64)}`)).toBe(text);
  expect(await readMedia(`data:,${encodeURIComponent(text)}`)).toBe(text);
  expect(await readMedia(`\n data:,${encodeURIComponent(text)}`)).toBe(text);
});

test("a percent escape stands for any byte", async () => {
  const bytes = await taskWith({ image_url: "data:,%89PNG%FF" }).media("data:,%89PNG%FF");
  expect([...bytes]).toEqual([0x89, 0x50, 0x4e, 0x47, 0xff]);
});

test("a data URI that cannot be decoded names its field", async () => {
  for (const url of ["data:image/png;base64", "data:;base64,!!!!", "data:;base64,abcde", "data:,%zz", "data:,"]) {
    expect(await problemOf(url)).toMatchObject({ loc: ["body", "image_url"], type: "file_download_error" });
  }
  const nested = { images: [{ url: "data:," }] };
  expect((await problemOf("data:,", nested)).loc).toEqual(["body", "images", 0, "url"]);
});

test("other URLs are read from the files that the server fetched, and from nowhere else", async () => {
  const path = join(directory, "fetched");
  await writeFile(path, "pixels");
  const url = "https://example.com/a.png";
  expect(new TextDecoder().decode(await taskWith({ image_url: url }, { [url]: path }).media(url))).toBe("pixels");
  for (const other of ["https://example.com/b.png", "file:///etc/passwd", "/etc/passwd", "constructor", "__proto__"]) {
    expect(await problemOf(other)).toMatchObject({ loc: ["body", "image_url"], type: "file_download_error" });
  }
});
