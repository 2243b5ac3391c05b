// A disk that becomes full in the middle of a download: a real one, of one megabyte. Needs the right to mount.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMIT, createFakeHub, noise } from "../../support/fake-hub.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";
import { failureOf, PIECE, pullFrom } from "./setting.ts";

const disk = mountSmallDisk(mkdtempSync(join(tmpdir(), "forecourt-tiny-disk-")), 1);
afterAll(() => {
  disk.unmount();
  rmdirSync(disk.path);
});

const graph = noise(60 * PIECE, 1);
const filler = noise(16 * PIECE, 2);
const source = { repo: "owner/name", revision: COMMIT };

test.skipIf(!disk.isOwn)("a disk that fills up is told plainly, and the pull goes on when there is room", async () => {
  await using hub = createFakeHub({ repos: { "owner/name": { files: { "model.onnx": graph } } } });
  const ballast = join(disk.path, "ballast");
  await Bun.write(ballast, filler);
  // `reserveBytes` below zero lets it begin although the space does not suffice, as when others fill the disk meanwhile.
  const failure = await failureOf(
    pullFrom(hub, { source, data: disk.path, tuning: { reserveBytes: -graph.byteLength } }),
  );
  expect(failure.details?.reason).toBe("disk_full");
  expect(failure.message).toContain("What arrived is kept");

  await Bun.file(ballast).delete();
  const before = hub.served();
  const { folder } = await pullFrom(hub, { source, data: disk.path });
  expect(Buffer.compare(readFileSync(join(folder, "model.onnx")), graph)).toBe(0);
  expect(hub.served() - before).toBeLessThan(graph.byteLength / 2);
});
