// A data directory wherever an operator may put it: all that is durable works there, and comes back after the disk could not be written.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountSmallDisk } from "../support/small-disk.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-odd-"));
const disk = mountSmallDisk(join(folder, "disk"), 64);
afterAll(() => {
  disk.unmount();
  rmSync(folder, { recursive: true, force: true });
});

async function upload(box: TestGateway): Promise<string> {
  const body = { file_name: "a.txt", content_type: "text/plain" };
  const begun = await (await box.ask("POST", "/rest/storage/upload/initiate", { body })).json();
  expect((await box.ask("PUT", begun.upload_url, { body: "content" })).status).toBe(200);
  return begun.file_url;
}
const deletion = (box: TestGateway, url: string) =>
  box.ask("DELETE", `/platform/v1/storage/files?url=${encodeURIComponent(url)}`);
const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());

/** Runs, keeps and removes a file, and finds after a restart what it kept. */
async function live(data: string): Promise<void> {
  let kept: string;
  {
    await using box = await createTestGateway({ data });
    expect((await box.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } })).status).toBe(200);
    const over = await upload(box);
    kept = await upload(box);
    expect((await deletion(box, over)).status).toBe(204);
    expect((await box.ask("GET", over)).status).toBe(404);
    await until(() => filesIn(join(data, "uploads")).length === 1);
  }
  await using box = await createTestGateway({ data });
  expect(await (await box.ask("GET", kept)).text()).toBe("content");
}

describe("a data directory", () => {
  const made = (name: string) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };

  test.each([
    "with spaces",
    "ünï😀",
    `quo"te'd`,
    "percent%20#?&",
    "$(echo x);`y`",
    "back\\slash",
    "-dash",
    "new\nline",
  ])("may be called %p", (name) => live(made(name)));

  test("may be a link", async () => {
    symlinkSync(made("real"), join(folder, "link"));
    await live(join(folder, "link"));
  });

  test.skipIf(!disk.isOwn)("may have its files on other disks, by links", async () => {
    const data = made("apart");
    for (const part of ["files", "uploads"]) {
      mkdirSync(join(disk.path, "far", part), { recursive: true });
      symlinkSync(join(disk.path, "far", part), join(data, part));
    }
    await live(data);
  });

  test.skipIf(!disk.isOwn)(
    "that becomes full refuses changes, serves what it has, and loses nothing of it",
    async () => {
      const data = join(disk.path, "data");
      mkdirSync(data);
      await using box = await createTestGateway({ data });
      const url = await upload(box);
      disk.fill();
      try {
        const body = { file_name: "b.txt", content_type: "text/plain" };
        const begun = await box.ask("POST", "/rest/storage/upload/initiate", { body });
        const sent = begun.ok
          ? await box.ask("PUT", (await begun.json()).upload_url, { body: "x".repeat(1_000_000) })
          : begun;
        expect(sent.status).toBe(503);
        expect(await (await box.ask("GET", url)).text()).toBe("content");
      } finally {
        disk.empty();
      }
      expect((await deletion(box, url)).status).toBe(204);
      expect((await box.ask("GET", url)).status).toBe(404);
    },
  );
});
