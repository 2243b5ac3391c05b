// Files that are small to send and huge to open: refused quickly, in little memory, and the codec goes on working.
import { expect, test } from "bun:test";
import { crc32, deflateSync } from "node:zlib";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { cpuMs } from "../../support/cpu-time.ts";

const codec = createCodec();

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.byteLength);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body) >>> 0);
  return Buffer.concat([length, body, sum]);
}

/** A black picture of that size: its rows compress to nearly nothing. */
function png(width: number, height: number, rows: Uint8Array, extra: Buffer[] = []): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8); // one bit of grey a pixel
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    ...extra,
    chunk("IDAT", rows),
    chunk("IEND", new Uint8Array()),
  ]);
}

const zeros = (bytes: number) => deflateSync(new Uint8Array(bytes), { level: 9 });
const memory = () => process.memoryUsage.rss();
const MIB = 1024 * 1024;

const bombs: [string, () => Buffer][] = [
  ["a picture of 2.5 thousand million pixels in 300 kB", () => png(50_000, 50_000, zeros(6_251 * 50_000))],
  ["a header that promises the largest picture there can be", () => png(0x7fffffff, 0x7fffffff, zeros(1000))],
  ["a picture of one line without end", () => png(100_000_000, 1, zeros(12_500_001))],
  [
    "a GIF whose screen is 65535 x 65535",
    () => Buffer.concat([Buffer.from("GIF89a"), Buffer.from([255, 255, 255, 255, 0, 0, 0, 0x3b])]),
  ],
  [
    "an SVG that references itself",
    () => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>`),
  ],
  [
    "XML of a thousand million laughs",
    () => Buffer.from(`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "${"ha".repeat(50)}">]><svg>&a;</svg>`),
  ],
  ["a gzip stream in place of a picture", () => Buffer.from(Bun.gzipSync(new Uint8Array(50 * MIB)))],
];

test.each(bombs)("%s is refused", async (_, make) => {
  const bytes = make();
  const [before, start] = [memory(), cpuMs()];
  await expect(codec.decode(bytes)).rejects.toMatchObject({ code: "invalid_input" });
  expect(memory() - before).toBeLessThan(300 * MIB);
  expect(cpuMs() - start).toBeLessThan(5_000);
});

test("text that unpacks to 200 MB beside the pixels does not come along", async () => {
  const text = Buffer.concat([Buffer.from("Comment\0\0"), zeros(200 * MIB)]);
  const before = memory();
  const picture = png(8, 8, zeros(16), [chunk("zTXt", text)]);
  const outcome = await codec.decode(picture).then(
    ({ width }) => width,
    ({ code }) => code,
  );
  expect([8, "invalid_input"]).toContain(outcome);
  expect(memory() - before).toBeLessThan(150 * MIB);
});

test("after all of them a plain picture is read as before", async () => {
  expect(await codec.decode(png(8, 8, zeros(16)))).toMatchObject({ width: 8, height: 8 });
});
