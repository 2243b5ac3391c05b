// A disk that becomes full in the middle of an upload: a real one, of one megabyte. Needs the right to mount.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../../src/control/database/open.ts";
import { OPEN } from "../../../src/control/storage/acl.ts";
import { createDiskStore } from "../../../src/control/storage/disk-store.ts";
import { createUploads } from "../../../src/control/storage/uploads.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { bytes, MIB } from "../../../src/core/units.ts";
import { createStores } from "../../support/file-stores.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";

const disk = mountSmallDisk(mkdtempSync(join(tmpdir(), "forecourt-full-disk-")), 1);
afterAll(() => {
  disk.unmount();
  rmdirSync(disk.path);
});

async function* zeros(size: number) {
  for (let sent = 0; sent < size; sent += 65_536) yield new Uint8Array(65_536);
}

test.skipIf(!disk.isOwn)("a full disk is told, leaves nothing behind, and the upload can be sent again", async () => {
  using database = openDatabase({ file: ":memory:" });
  const uploads = createUploads({
    root: disk.path,
    fileStore: createDiskStore({ root: disk.path }),
    removals: createStores({ data: disk.path, database }).removals,
    database,
    clock: systemClock,
    maxBytes: bytes(100 * MIB),
  });
  const upload = await uploads.begin({
    ...{ key: asId<KeyId>("owner"), name: "a.bin", contentType: "application/zip" },
    lifecycle: { acl: OPEN },
  });
  const files = () => readdirSync(disk.path, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  await expect(uploads.write(upload.secret, zeros(2 * MIB))).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("disk of this box is full"),
  });
  expect(files()).toEqual([]);
  await expect(uploads.writePart(upload.secret, 1, zeros(2 * MIB))).rejects.toMatchObject({ code: "unavailable" });
  expect(files()).toEqual([]);
  await uploads.write(upload.secret, zeros(MIB / 2));
  expect(uploads.find(upload.token, upload.name)?.size).toBe(bytes(MIB / 2));
});
