// Writes sound as a file of one of several formats.
import type { Sound } from "./channels.ts";
import { type Channels, channelsOf, interleave } from "./channels.ts";
import { encodeFlac } from "./flac.ts";
import { encodeMp3 } from "./mp3.ts";
import { encodeOpus } from "./opus.ts";
import { encodeWav, toPcm16 } from "./wav.ts";

export const soundFormats = ["wav", "mp3", "opus", "flac", "pcm"] as const;
export type SoundFormat = (typeof soundFormats)[number];

type Format = { ending: string; contentType: string; encode(sound: Channels): Uint8Array | Promise<Uint8Array> };

const formats: Record<SoundFormat, Format> = {
  wav: { ending: "wav", contentType: "audio/wav", encode: encodeWav },
  mp3: { ending: "mp3", contentType: "audio/mpeg", encode: encodeMp3 },
  opus: { ending: "ogg", contentType: "audio/ogg", encode: encodeOpus },
  flac: { ending: "flac", contentType: "audio/flac", encode: encodeFlac },
  // OpenAI's: 16 bits, little-endian, no header.
  pcm: {
    ending: "pcm",
    contentType: "audio/pcm",
    encode: ({ channels }) => new Uint8Array(toPcm16(interleave(channels)).buffer),
  },
};

export async function encodeSound(sound: Sound | Channels, format: SoundFormat) {
  const { ending, contentType, encode } = formats[format];
  return { bytes: await encode(channelsOf(sound)), contentType, ending };
}
