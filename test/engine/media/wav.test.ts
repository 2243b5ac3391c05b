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
