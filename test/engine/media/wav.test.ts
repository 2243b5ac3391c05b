// Sounds as callers send them: read as they are, and refused when they last too long, before their samples are read.
import { expect, test } from "bun:test";
import { readSound } from "../../../src/engine/media/sound.ts";

type Shape = { rate: number; frames: number; channels?: number; claimed?: number };

/** 16 bits a sample; `claimed` is the size that the header says. */
function wav({ rate, frames, channels = 1, claimed }: Shape): Uint8Array {
  const size = frames * channels * 2;
  const view = new DataView(new ArrayBuffer(44 + size));
  const text = (at: number, tag: string) => {
    for (const [n, letter] of [...tag].entries()) view.setUint8(at + n, letter.charCodeAt(0));
  };
  text(0, "RIFF");
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, claimed ?? size, true);
  for (let at = 0; at < frames * channels; at++) view.setInt16(44 + at * 2, at % 2 === 0 ? 16_384 : -8_192, true);
  return new Uint8Array(view.buffer);
}

const read = (bytes: Uint8Array) =>
  readSound({ task: { media: async () => bytes, longestSoundSeconds: 3600 }, url: "data:", field: "audio_url" });

test("channels are averaged, and a size that is too large is what a recorder leaves that was cut off", async () => {
  const { samples, rate } = await read(wav({ rate: 16_000, frames: 3, channels: 2, claimed: 0xffff_ffff }));
  expect([rate, [...samples]]).toEqual([16_000, [0.125, 0.125, 0.125]]);
});

/** Other bytes at a place of a file. */
const changed = (bytes: Uint8Array, at: number, values: readonly number[]) => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};

test("what is written into a pipe has no size, and lasts to its end", async () => {
  const header = changed(wav({ rate: 16_000, frames: 5, claimed: 0 }), 4, [36, 0, 0, 0]);
  expect((await read(header)).samples).toHaveLength(5);
  // A chunk behind no samples is no sound, and of nothing there is nothing to hear.
  const empty = changed(wav({ rate: 16_000, frames: 5, claimed: 0 }), 4, [46, 0, 0, 0]);
  await expect(read(empty)).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "audio_url"], msg: expect.stringContaining("length is 0"), type: "audio_load_error" }],
  });
});

test("RF64 has its size in a chunk of its own, and something else behind the samples", async () => {
  const { buffer } = wav({ rate: 16_000, frames: 10, claimed: 0xffff_ffff });
  const sizes = new DataView(new ArrayBuffer(36));
  for (const [at, letter] of [..."ds64"].entries()) sizes.setUint8(at, letter.charCodeAt(0));
  sizes.setUint32(4, 28, true);
  sizes.setBigUint64(16, 8n, true);
  const parts = [buffer.slice(0, 12), sizes.buffer, buffer.slice(12)].map((part) => new Uint8Array(part));
  const file = changed(
    new Uint8Array(Buffer.concat(parts)),
    0,
    [..."RF64"].map((letter) => letter.charCodeAt(0)),
  );
  expect((await read(file)).samples).toHaveLength(4);
});

test.each([
  // ITU-T G.711's own tables: the least, a middle and the greatest value of both signs.
  ["A-law", 6, [0xd5, 0x55, 0xc5, 0x45, 0xaa, 0x2a], [8, -8, 264, -264, 32_256, -32_256]],
  ["mu-law", 7, [0xff, 0x7f, 0xef, 0x6f, 0x80, 0x00], [0, 0, 132, -132, 32_124, -32_124]],
] as const)("%s is read, as telephones record it", async (_, coding, bytes, values) => {
  const file = changed(wav({ rate: 8000, frames: 3 }), 44, bytes);
  const { samples } = await read(changed(changed(file, 20, [coding]), 34, [8]));
  expect([...samples].map((value) => value * 32_768)).toEqual([...values]);
});

test("samples that are no numbers, and rates that no sound has, are refused in fal's words", async () => {
  const floats = changed(changed(wav({ rate: 16_000, frames: 4 }), 20, [3]), 34, [32]);
  const refused = { code: "invalid_input", problems: [{ loc: ["body", "audio_url"], type: "audio_load_error" }] };
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    await expect(
      read(changed(floats, 44, [...new Uint8Array(Float32Array.of(0.5, value).buffer)])),
    ).rejects.toMatchObject(refused);
  await expect(read(wav({ rate: 4_000_000_000, frames: 10 }))).rejects.toMatchObject(refused);
});

const tooLong = {
  code: "invalid_input",
  problems: [{ loc: ["body", "audio_url"], type: "audio_duration_too_long", ctx: { max_duration: 3600 } }],
};

test("a sound that lasts longer than it may is refused in fal's words, one as long as it may is read", async () => {
  await expect(read(wav({ rate: 1000, frames: 3_601_000 }))).rejects.toMatchObject(tooLong);
  expect((await read(wav({ rate: 1000, frames: 3_600_000 }))).samples).toHaveLength(3_600_000);
});

test("a small file that claims to last for days is refused, not stretched to fill the memory", async () => {
  await expect(read(wav({ rate: 1, frames: 1_000_000 }))).rejects.toMatchObject(tooLong);
  await expect(read(wav({ rate: 0, frames: 10 }))).rejects.toMatchObject({ code: "invalid_input" });
});
