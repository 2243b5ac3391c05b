// Files that move to a bucket and are over meanwhile, in a process that is killed again and again: none of them is left anywhere.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseFile, openDatabase } from "../../src/control/database/open.ts";
import { createS3Store } from "../../src/control/storage/s3-store.ts";
import { createStores, filesBelow } from "../support/file-stores.ts";
import { hasS3Server, type S3Server, startS3Server } from "../support/s3-server.ts";
import { createTestClock } from "../support/test-clock.ts";

const data = mkdtempSync(join(tmpdir(), "forecourt-removals-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

const FOLDERS = 800;
const KILLS = 10;
const STEP = 40;

/** What it said, before it was killed a moment after it spoke or was done. */
async function ended(order: { data: string; server: S3Server; folders: string[] }, killAfterMs: number | undefined) {
  const script = join(import.meta.dir, "../support/remover.ts");
  const child = Bun.spawn([process.execPath, script], {
    ...{ stdin: new Blob([JSON.stringify(order)]), stdout: "pipe", stderr: "inherit" },
  });
  let text = "";
  for await (const chunk of child.stdout) {
    if (text === "" && killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    text += new TextDecoder().decode(chunk);
  }
  await child.exited;
  return text.trim().split("\n");
}

test.skipIf(!hasS3Server)(
  "what is over goes from the disk and the bucket, however often the server is killed",
  async () => {
    await using server = await startS3Server();
    const all = Array.from({ length: FOLDERS }, (_, at) => `files/${String(at).padStart(22, "0")}`);
    for (const folder of all) {
      mkdirSync(join(data, folder), { recursive: true });
      writeFileSync(join(data, folder, "a.png"), folder);
    }
    for (let kill = 0; kill < KILLS; kill++) {
      const folders = all.slice(kill * STEP);
      expect((await ended({ data, server, folders }, kill)).at(-1)).not.toBe("done");
    }
    expect((await ended({ data, server, folders: all }, undefined)).at(-1)).toBe("done");

    using database = openDatabase({ file: databaseFile(data) });
    const clock = createTestClock(Date.now() + 2 * 60 * 60 * 1000);
    const { removals } = createStores({ data, s3: createS3Store(server), database, clock });
    await removals.work();
    expect(await server.names()).toEqual([]);
    expect(filesBelow(join(data, "files"))).toEqual([]);
    for (const table of ["file_removal", "bucket_object"])
      expect(database.sqlite.query(`SELECT count(*) FROM ${table}`).values()).toEqual([[0]]);
  },
  180_000,
);
