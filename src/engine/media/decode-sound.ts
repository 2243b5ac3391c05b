// Reads sound files of the usual formats by decoders in WebAssembly; the only file that imports them.
import { EncodedPacketSink } from "mediabunny";
import type { Pause } from "../pause.ts";
import { createResampler, type Resampler } from "../tensor/resample.ts";
import type { Sound } from "./channels.ts";
import { openContainer } from "./container.ts";
import { joinSounds } from "./join-sounds.ts";
import { wholeOggPages } from "./ogg.ts";
import { tooLong } from "./too-long.ts";

/**
 * Packages of decoders, loaded when a file needs one, and as a whole: of a package that is imported by some of its names
 * Bun 1.4.5's bundler drops others that the package itself still uses.
 */
const packages = {
  flac: () => import("@wasm-audio-decoders/flac"),
  vorbis: () => import("@wasm-audio-decoders/ogg-vorbis"),
  mpeg: () => import("mpg123-decoder"),
  oggOpus: () => import("ogg-opus-decoder"),
  opus: () => import("opus-decoder"),
};

/** What all of the decoders give for a piece of a file. */
type Decoded = { channelData: Float32Array[]; samplesDecoded: number; sampleRate: number };
type Decoder = {
  decode(piece: Uint8Array): Decoded | Promise<Decoded>;
  flush?(): Decoded | Promise<Decoded>;
  free(): void;
};

/** `field` of the input, for the error; `rate` as readSound's. */
type Wish = { longestSeconds: number; field: string; rate?: number; pause: Pause };

/** A file of a few bytes may claim 255, and each is as long as the sound. */
const MOST_CHANNELS = 8;

/** A piece of a small file may hold hours of silence: the count is taken after each. */
const PIECE_BYTES = 4096;

/**
 * One channel, the mean of all, of the wanted rate. Undefined for what is none of wav, mp3, flac, ogg (Opus, Vorbis) and webm (Opus); wav
 * is read elsewhere. Throws `invalid_input` for more than the limit.
 */
export async function decodeSound(bytes: Uint8Array, wish: Wish): Promise<Sound | undefined> {
  const decoder = await decoderOf(bytes);
  if (!decoder) return undefined;
  const collected = collector(wish);
  try {
    for await (const piece of decoder.pieces) {
      collected.add(await decoder.decode(piece));
      await wish.pause();
    }
    if (decoder.flush) collected.add(await decoder.flush());
  } finally {
    decoder.free();
  }
  return collected.sound();
}

async function decoderOf(bytes: Uint8Array): Promise<(Decoder & { pieces: Pieces }) | undefined> {
  const has = (text: string, at = 0) => text === String.fromCharCode(...bytes.subarray(at, at + text.length));
  const pieces = cut(has("OggS") ? wholeOggPages(bytes) : bytes);
  if (has("fLaC"))
    return { ...bound(await ready(new (await packages.flac()).FLACDecoder())), pieces: withRoom(pieces) };
  if (has("OggS")) {
    const isOpus = has("OpusHead", 28);
    if ((bytes[28 + (isOpus ? 9 : 11)] ?? 0) > MOST_CHANNELS) return undefined;
    return {
      ...bound(
        isOpus
          ? await ready(new (await packages.oggOpus()).OggOpusDecoder())
          : await ready(new (await packages.vorbis()).OggVorbisDecoder()),
      ),
      pieces,
    };
  }
  if (has("ID3") || isMpegFrame(bytes))
    return { ...bound(await ready(new (await packages.mpeg()).MPEGDecoder())), pieces };
  if (isMatroska(bytes)) return await webmDecoder(bytes);
  return undefined;
}

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

function* cut(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/**
 * codec-parser 2.5.0 looks further than a header for the next frame: a last frame of a few bytes, which is silence, was lost
 * with it. Zeros behind a frame change nothing in its checksum.
 */
function* withRoom(pieces: Iterable<Uint8Array>): Iterable<Uint8Array> {
  yield* pieces;
  yield new Uint8Array(64);
}

const isMpegFrame = (bytes: Uint8Array) => bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe6) > 0xe0;
const isMatroska = (bytes: Uint8Array) => [0x1a, 0x45, 0xdf, 0xa3].every((byte, i) => bytes[i] === byte);

async function ready<T extends { ready: Promise<void> }>(decoder: T): Promise<T> {
  await decoder.ready;
  return decoder;
}

type Native = Decoder & { flush?: () => Decoded | Promise<Decoded> };
const bound = (decoder: Native): Decoder => ({
  decode: (piece) => decoder.decode(piece),
  ...(decoder.flush && { flush: () => decoder.flush?.() ?? nothing }),
  free: () => decoder.free(),
});
const nothing: Decoded = { channelData: [], samplesDecoded: 0, sampleRate: 0 };

/** Undefined for a video without sound and for other codecs in the container. */
async function webmDecoder(bytes: Uint8Array) {
  const track = await openContainer(bytes)
    .getPrimaryAudioTrack()
    .catch(() => null);
  if (track?.codec !== "opus") return undefined;
  const channels = track.numberOfChannels;
  const { OpusDecoder } = await packages.opus();
  const decoder = await ready(new OpusDecoder({ channels, streamCount: 1, coupledStreamCount: channels - 1 }));
  async function* packets(sink: EncodedPacketSink) {
    for await (const packet of sink.packets()) yield packet.data;
  }
  return {
    decode: (packet: Uint8Array) => decoder.decodeFrame(packet),
    free: () => decoder.free(),
    pieces: packets(new EncodedPacketSink(track)),
  };
}

function collector({ longestSeconds, field, ...wish }: Wish) {
  const parts: Float32Array[] = [];
  let [seconds, rate, wanted] = [0, 0, wish.rate];
  let resampler: Resampler | undefined;
  const endPart = () => {
    if (resampler) parts.push(resampler.end());
    resampler = undefined;
  };
  return {
    add({ channelData, samplesDecoded, sampleRate }: Decoded): void {
      if (samplesDecoded === 0) return;
      seconds += samplesDecoded / sampleRate;
      if (seconds > longestSeconds) throw tooLong(longestSeconds, field);
      // Parts of a stream may differ.
      if (sampleRate !== rate) endPart();
      rate = sampleRate;
      wanted ??= rate;
      resampler ??= createResampler(rate, wanted);
      const mean = new Float32Array(samplesDecoded);
      for (const channel of channelData)
        for (let i = 0; i < samplesDecoded; i++) mean[i] = (mean[i] ?? 0) + (channel[i] ?? 0) / channelData.length;
      resampler.add(mean);
    },
    /** Undefined when nothing could be read. */
    sound(): Sound | undefined {
      endPart();
      return wanted === undefined || seconds === 0 ? undefined : { samples: joinSounds(parts, 0), rate: wanted };
    },
  };
}
