// Archives on a disk that becomes full, and in a data directory of which a part lies on another disk.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { backup } from "../../../src/control/backup/backup.ts";
import { restore } from "../../../src/control/backup/restore.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-small-disk-"));
const disk = mountSmallDisk(join(folder, "disk"), 2);
afterAll(() => {
  disk.unmount();
  rmSync(folder, { recursive: true, force: true });
});

const now = new Date("2026-01-02T03:04:05Z");
const TOKEN = "abcdefghijklmnopqrstuv";

/** An archive of a box with one picture of so many bytes. */
async function archiveOf(bytes: number): Promise<string> {
  const data = join(folder, `box-${bytes}`);
  mkdirSync(join(data, "files", TOKEN), { recursive: true });
  new Sqlite(join(data, "forecourt.sqlite"), { create: true }).run("CREATE TABLE t (x)");
  writeFileSync(join(data, "files", TOKEN, "a.png"), Buffer.alloc(bytes, 7));
  const to = join(folder, `${bytes}.tar`);
  await backup({ data, to, withFiles: true, version: "1", now });
  return to;
}

test.skipIf(!disk.isOwn)(
  "a disk that becomes full while a backup is unpacked is told, and nothing of it stays",
  async () => {
    const from = await archiveOf(4 * 1024 * 1024);
    const data = join(disk.path, "box");
    const refusal = { code: "unavailable", message: expect.stringMatching(/disk became full.*Nothing was changed/) };
    await expect(restore({ data, from, now })).rejects.toMatchObject(refusal);
    expect(readdirSync(data).filter((name) => !name.startsWith("server."))).toEqual([]);
    await restore({ data, from: await archiveOf(1000), now });
    expect(existsSync(join(data, "files", TOKEN, "a.png"))).toBe(true);
  },
);

test.skipIf(!disk.isOwn)("files that lie on another disk are replaced there, and kept", async () => {
  const data = join(folder, "linked");
  const elsewhere = join(disk.path, "files");
  mkdirSync(data);
  mkdirSync(join(elsewhere, TOKEN), { recursive: true });
  writeFileSync(join(elsewhere, TOKEN, "a.png"), "the former");
  symlinkSync(elsewhere, join(data, "files"));
  const { kept = "" } = await restore({ data, from: await archiveOf(2000), now });
  expect(readFileSync(join(elsewhere, TOKEN, "a.png")).equals(Buffer.alloc(2000, 7))).toBe(true);
  expect(readFileSync(join(kept, "files", TOKEN, "a.png"), "utf8")).toBe("the former");
  expect(readdirSync(join(elsewhere, TOKEN))).toEqual(["a.png"]);
});

test("an archive whose last bytes the disk does not take is none", async () => {
  // 3584 bytes, where files may have 3072: the system takes the first half of the archive's end.
  const tar = resolve(import.meta.dir, "../../../src/control/backup/tar.ts");
  const code = `
    import { open } from "node:fs/promises";
    import { packEnd, packText } from ${JSON.stringify(tar)};
    const to = await open(${JSON.stringify(join(folder, "limited.tar"))}, "wx");
    await packText(to, { name: "a", text: "a" });
    await packText(to, { name: "b", text: "b".repeat(600) });
    await packEnd(to).catch(({ code }) => console.log(code));`;
  const script = join(folder, "pack.ts");
  writeFileSync(script, code);
  const packing = Bun.spawnSync(["sh", "-c", 'ulimit -f 6 && exec "$0" "$1"', process.execPath, script]);
  expect(packing.stdout.toString().trim()).toBe("EFBIG");
});
