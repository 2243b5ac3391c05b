// Writes Opus in Ogg files; wraps opusscript, the only file that imports it.
import makeLibopus, { type Libopus } from "opusscript/build/opusscript_native_wasm.js";
import wasm from "opusscript/build/opusscript_native_wasm.wasm" with { type: "file" };
import { invariant } from "../../core/errors.ts";
import { type Channels, interleave, resampleChannels } from "./channels.ts";
import { oggPages } from "./ogg.ts";
import { toPcm16 } from "./wav.ts";

/** Opus counts time at this rate, whatever it is given (RFC 7845, section 4). */
const RATE = 48_000;
/** 20 ms. */
const FRAME = 960;
/** Samples that a decoder throws away: libopus' look-ahead at 48 kHz in audio mode. */
const PRE_SKIP = 312;
/** Of each channel. */
const BITS_PER_SECOND = 64_000;
/** Of 10: what libopus' authors advise where processors are shared. */
const COMPLEXITY = 5;
/** opus_defines.h */
const [AUDIO, SET_BITRATE, SET_COMPLEXITY, LARGEST_PACKET] = [2049, 4002, 4010, 1275];

export async function encodeOpus(sound: Channels): Promise<Uint8Array> {
  const channels = resampleChannels(sound, RATE);
  const [{ length } = new Float32Array()] = channels;
  return oggPages({
    headers: [head(sound.rate, channels.length), tags()],
    packets: await encodePackets(channels),
    end: length + PRE_SKIP,
    samplesPerPacket: FRAME,
  });
}

async function encodePackets(channels: readonly Float32Array[]): Promise<Uint8Array[]> {
  const libopus = await open();
  const count = channels.length;
  const encoder = new libopus.OpusScriptHandler(RATE, count, AUDIO);
  const [input, output] = [libopus._malloc(FRAME * 4 * count), libopus._malloc(LARGEST_PACKET)];
  try {
    encoder._encoder_ctl(SET_BITRATE, BITS_PER_SECOND * count);
    encoder._encoder_ctl(SET_COMPLEXITY, COMPLEXITY);
    const packets: Uint8Array[] = [];
    const pcm = toPcm16(interleave(channels));
    for (let at = 0; at < pcm.length + PRE_SKIP * count; at += FRAME * count) {
      const frame = new Int16Array(FRAME * count);
      frame.set(pcm.subarray(at, at + FRAME * count));
      // opusscript's glue takes each byte of a sample in two bytes of its own.
      const widened = Uint16Array.from(new Uint8Array(frame.buffer));
      libopus.HEAPU8.set(new Uint8Array(widened.buffer), input);
      const length = encoder._encode(input, FRAME * 2 * count, output, FRAME);
      invariant(length > 0, `libopus refused a frame with ${length}`);
      packets.push(libopus.HEAPU8.slice(output, output + length));
    }
    return packets;
  } finally {
    libopus.OpusScriptHandler.destroy_handler(encoder);
    libopus._free(input);
    libopus._free(output);
  }
}

let opened: Promise<Libopus> | undefined;
/** Compiled once a process. */
function open(): Promise<Libopus> {
  opened ??= Bun.file(wasm)
    .bytes()
    .then((wasmBinary) => makeLibopus({ wasmBinary }).ready);
  return opened;
}

const text = (value: string) => new TextEncoder().encode(value);

/** RFC 7845, section 5.1. */
function head(inputRate: number, channels: number): Uint8Array {
  const bytes = new Uint8Array(19);
  const view = new DataView(bytes.buffer);
  bytes.set(text("OpusHead"));
  view.setUint8(8, 1);
  view.setUint8(9, channels);
  view.setUint16(10, PRE_SKIP, true);
  view.setUint32(12, inputRate, true);
  return bytes;
}

/** RFC 7845, section 5.2: a name of the writer and no comments. */
function tags(): Uint8Array {
  const vendor = text("forecourt");
  const bytes = new Uint8Array(16 + vendor.length);
  bytes.set(text("OpusTags"));
  new DataView(bytes.buffer).setUint32(8, vendor.length, true);
  bytes.set(vendor, 12);
  return bytes;
}
