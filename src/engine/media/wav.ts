// Reads and writes WAV files, the one sound format that needs no codec: PCM of 8 to 32 bits and floats.
import type { Sound } from "./channels.ts";
import { type Channels, channelsOf, interleave } from "./channels.ts";

type Format = { coding: number; channels: number; rate: number; bits: number };

/** What a header says, and the samples, which take some time and several times the file's memory. */
export type WavFile = { rate: number; length: number; samples(from?: number, to?: number): Float32Array };

/** Undefined for what is not a WAV file or not of a coding that is read. */
export function decodeWav(bytes: Uint8Array): Sound | undefined {
  const file = readWav(bytes);
  return file && { samples: file.samples(), rate: file.rate };
}

/** As `decodeWav`. RF64 is WAV for more than 4 GiB, whose sizes are elsewhere. */
export function readWav(bytes: Uint8Array): WavFile | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 44 || !["RIFF", "RF64"].includes(tag(view, 0)) || tag(view, 8) !== "WAVE") return undefined;
  let format: Format | undefined;
  let long: number | undefined;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const [name, size] = [tag(view, at), view.getUint32(at + 4, true)];
    const body = at + 8;
    if (name === "ds64" && body + 16 <= view.byteLength) long = Number(view.getBigUint64(body + 8, true));
    if (name === "fmt " && body + 16 <= view.byteLength) format = readFormat(view, body);
    if (name === "data") {
      const isOpen = size === 0 && view.getUint32(4, true) <= body - 8;
      return format && fileOf(view, format, { from: body, size: isOpen ? Infinity : (long ?? size) });
    }
    at = body + size + (size % 2);
  }
  return undefined;
}

const tag = (view: DataView, at: number) =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

/** 0xFFFE ("extensible") keeps the coding in the first bytes of a longer name. */
function readFormat(view: DataView, at: number): Format {
  const coding = view.getUint16(at, true);
  const isExtensible = coding === 0xfffe && at + 26 <= view.byteLength;
  return {
    coding: isExtensible ? view.getUint16(at + 24, true) : coding,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

const PCM = 1;
const FLOAT = 3;
/** Telephony's (ITU-T G.711). */
const [A_LAW, MU_LAW] = [6, 7];

function readerOf({ coding, bits }: Format, view: DataView): ((at: number) => number) | undefined {
  if (coding === FLOAT && bits === 32) return (at) => view.getFloat32(at, true);
  if (coding === FLOAT && bits === 64) return (at) => view.getFloat64(at, true);
  if (coding === A_LAW && bits === 8) return (at) => fromALaw(view.getUint8(at));
  if (coding === MU_LAW && bits === 8) return (at) => fromMuLaw(view.getUint8(at));
  if (coding !== PCM) return undefined;
  if (bits === 8) return (at) => (view.getUint8(at) - 128) / 128;
  if (bits === 16) return (at) => view.getInt16(at, true) / 2 ** 15;
  if (bits === 24) return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
  if (bits === 32) return (at) => view.getInt32(at, true) / 2 ** 31;
  return undefined;
}

/** Four bits of a value, three of how far it is shifted, a sign; every second bit is turned over. */
function fromALaw(byte: number): number {
  const [bits, shift] = [byte ^ 0x55, ((byte ^ 0x55) & 0x70) >> 4];
  const low = ((bits & 15) << 4) + 8;
  const value = shift === 0 ? low : (low + 256) << (shift - 1);
  return (bits & 128 ? value : -value) / 2 ** 15;
}

/** The same with all bits turned over, and an offset that makes room for the shift. */
function fromMuLaw(byte: number): number {
  const bits = ~byte;
  const value = ((((bits & 15) << 3) + 132) << ((bits & 0x70) >> 4)) - 132;
  return (bits & 128 ? -value : value) / 2 ** 15;
}

/** A recorder that was cut off, or wrote into a pipe, leaves a size that is too large, or none. */
function fileOf(view: DataView, format: Format, { from, size }: { from: number; size: number }): WavFile | undefined {
  const { channels, rate, bits } = format;
  const read = readerOf(format, view);
  if (!read || channels === 0 || rate === 0) return undefined;
  const step = bits / 8;
  const length = Math.floor(Math.min(size, view.byteLength - from) / (step * channels));
  const samples = (first = 0, end = length) => {
    const means = new Float32Array(end - first);
    for (let i = first; i < end; i++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += read(from + (i * channels + channel) * step);
      means[i - first] = sum / channels;
    }
    return means;
  };
  return { rate, length, samples };
}

/** 16-bit PCM; values beyond [-1, 1] are cut. */
export function encodeWav(sound: Sound | Channels): Uint8Array {
  const { channels, rate } = channelsOf(sound);
  const samples = interleave(channels);
  const bytes = new Uint8Array(HEADER + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const write = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  write(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2 * channels.length, true);
  view.setUint16(32, 2 * channels.length, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, samples.length * 2, true);
  bytes.set(new Uint8Array(toPcm16(samples).buffer), HEADER);
  return bytes;
}

const HEADER = 44;

/** The machines that this runs on are little-endian, as WAV is. */
export const toPcm16 = (samples: Float32Array): Int16Array =>
  Int16Array.from(samples, (value) => Math.round(Math.min(32_767, Math.max(-32_768, value * 32_768))));
