// Frames of a caller's video: MP4, MOV and others with H.264, WebM and Matroska with VP8 and VP9.
import { EncodedPacketSink, type InputVideoTrack } from "mediabunny";
import { type FieldProblem, ForecourtError } from "../../../core/errors.ts";
import type { Pixels, Task } from "../../../core/pipeline.ts";
import type { Size } from "../../diffusion/image-size.ts";
import { createPause, type Pause } from "../../pause.ts";
import { openContainer } from "../container.ts";
import { annexB } from "./annex-b.ts";
import { isCutOffSegment } from "./cut-off-segment.ts";
import type { DecodedFrame, VideoDecoder } from "./decoder.ts";
import { createH264Decoder } from "./h264-decoder.ts";
import { type Rotation, rotated } from "./rotated.ts";
import { createVpxDecoder } from "./vpx-decoder.ts";
import { fromYuv, usualMatrix, type YuvColours, type YuvMatrix } from "./yuv.ts";

export type VideoFrame = {
  /** RGB, upright. */
  pixels: Pixels;
  /** Since the first frame. */
  seconds: number;
};

export type Video = Size & {
  /** In seconds, to the end of the last frame. */
  duration: number;
  /** Frames per second, of the whole file on average. */
  fps: number;
  codec: ReadCodec;
  /** In the order of their display; one at a time is held. To be read once. Throws `invalid_input` that names the field. */
  frames(): AsyncGenerator<VideoFrame, void>;
};

type Reading = {
  task: Pick<Task<unknown>, "media">;
  url: string;
  /** Name of the input's field, for the error. */
  field: string;
  bounds: VideoBounds;
  signal: AbortSignal;
};

export type VideoBounds = {
  longestSeconds: number;
  /** Of one frame. */
  mostPixels: number;
  mostFrames: number;
};

const CODECS = ["avc", "vp8", "vp9"] as const;
export type ReadCodec = (typeof CODECS)[number];

/** As the error names them. */
const SUPPORTED = ["mp4 (H.264)", "mov (H.264)", "webm (VP8, VP9)", "mkv (H.264, VP8, VP9)"];

/** Profiles of H.264 whose pictures have more bits or colours than are read (ITU-T H.264, annex A). */
const UNREAD_PROFILES: Record<number, string> = {
  44: "CAVLC 4:4:4",
  88: "Extended",
  110: "High 10",
  122: "High 4:2:2",
  244: "High 4:4:4",
};

/** Opens the video behind a URL of the input. Throws `invalid_input` that names the field for what is not read or beyond the bounds. */
export async function readVideo({ task, url, field, bounds, signal }: Reading): Promise<Video> {
  const bytes = await task.media(url);
  const refuse = refusals(field);
  const pause = createPause(signal);
  if (isCutOffSegment(bytes)) throw refuse.damaged(cutOff());
  const facts = await factsOf(bytes, { mostPackets: bounds.mostFrames + 1, pause }).catch((cause) => {
    signal.throwIfAborted();
    throw refuse.damaged(cause);
  });
  if (!facts) throw refuse.unsupported("it has no picture in it");
  const { track, codec, codecName, width, height, duration, packets } = facts;
  if (!codec) throw refuse.unsupported(`its pictures are coded as ${codecName}`);
  checkBounds({ ...facts, frames: packets }, bounds, refuse);
  if ((await packetsThere(track, pause)) < packets) throw refuse.damaged(cutOff());
  const decoder = await decoderOf(track, codec, refuse);
  return {
    width,
    height,
    duration,
    fps: duration > 0 ? packets / duration : 0,
    codec,
    frames: () => frames({ facts, decoder, bounds, refuse, pause, signal }),
  };
}

type Facts = Size & {
  track: InputVideoTrack;
  codec: ReadCodec | undefined;
  codecName: string;
  duration: number;
  packets: number;
  rotation: Rotation;
  colours: Partial<YuvColours>;
};

type Counting = { mostPackets: number; pause: Pause };

/** Undefined where there is no track of pictures. Throws whatever the parser throws for files that are none. */
async function factsOf(bytes: Uint8Array, counting: Counting): Promise<Facts | undefined> {
  const track = await openContainer(bytes).getPrimaryVideoTrack();
  if (!track) return undefined;
  const given = await track.getCodec();
  const space = await track.getColorSpace();
  const matrix = matrixOf(space.matrix);
  return {
    track,
    codec: CODECS.find((codec) => codec === given),
    codecName: given ?? "something unknown",
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
    ...(await countPackets(track, counting)),
    rotation: await track.getRotation(),
    colours: { ...(matrix && { matrix }), ...(space.fullRange != null && { isFullRange: space.fullRange }) },
  };
}

/** A file of a few bytes may claim billions: counted is what its tables lead to, and no further than to the bound. */
async function countPackets(track: InputVideoTrack, { mostPackets, pause }: Counting) {
  let [packets, duration] = [0, 0];
  const all = new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true });
  for await (const packet of all) {
    duration = Math.max(duration, packet.timestamp + packet.duration);
    if (++packets >= mostPackets) break;
    await pause();
  }
  return { packets, duration };
}

/** Tables may lead to packets behind the file's end: the reader ends there without a word. */
async function packetsThere(track: InputVideoTrack, pause: Pause): Promise<number> {
  let packets = 0;
  for await (const _ of new EncodedPacketSink(track).packets()) {
    packets++;
    await pause();
  }
  return packets;
}

const cutOff = () => new ForecourtError("invalid_input", "the file is cut off before its end");

function matrixOf(name: string | null | undefined): YuvMatrix | undefined {
  if (name === "bt709") return "bt709";
  if (name === "smpte170m" || name === "bt470bg") return "bt601";
  return name?.startsWith("bt2020") ? "bt2020" : undefined;
}

async function decoderOf(track: InputVideoTrack, codec: ReadCodec, refuse: Refusals): Promise<VideoDecoder> {
  if (codec !== "avc") return await createVpxDecoder(codec === "vp8" ? 8 : 9);
  const description = (await track.getDecoderConfig())?.description;
  const record = description === undefined ? undefined : asBytes(description);
  const profile = UNREAD_PROFILES[record?.[1] ?? 0];
  if (profile) throw refuse.unsupported(`its pictures are coded as H.264 in the profile ${profile}`);
  return await createH264Decoder(annexB(record));
}

const asBytes = (source: AllowSharedBufferSource): Uint8Array =>
  ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);

type Decoding = {
  facts: Facts;
  decoder: VideoDecoder;
  bounds: VideoBounds;
  refuse: Refusals;
  pause: Pause;
  signal: AbortSignal;
};

async function* frames(decoding: Decoding): AsyncGenerator<VideoFrame, void> {
  const { facts, decoder, bounds, refuse, pause, signal } = decoding;
  const { track, rotation } = facts;
  // Of packets that wait for their frames, which come in the order of the times.
  const times: number[] = [];
  let count = 0;
  let first: number | undefined;
  const finished = (frame: DecodedFrame): VideoFrame => {
    count++;
    const time = times.shift() ?? facts.duration;
    first ??= time;
    const seconds = time - first;
    checkBounds({ ...frame, frames: count, duration: seconds }, bounds, refuse);
    const colours = { matrix: usualMatrix(frame), isFullRange: false, ...facts.colours, ...frame.colours };
    return { pixels: rotated(fromYuv(frame, colours), rotation), seconds };
  };
  try {
    for await (const packet of new EncodedPacketSink(track).packets()) {
      insert(times, packet.timestamp);
      for (const frame of decoder.decode(packet.data)) yield finished(frame);
      await pause();
    }
    for (const frame of decoder.end()) yield finished(frame);
    if (count === 0) throw new ForecourtError("invalid_input", "none of its frames could be decoded");
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ForecourtError && (cause.problems || cause.code !== "invalid_input")) throw cause;
    throw refuse.damaged(cause);
  }
}

/** Nearly always at the end. */
function insert(times: number[], time: number): void {
  let at = times.length;
  while (at > 0 && (times[at - 1] ?? 0) > time) at--;
  times.splice(at, 0, time);
}

type Measured = Size & { duration: number; frames: number };

function checkBounds({ width, height, duration, frames }: Measured, bounds: VideoBounds, refuse: Refusals): void {
  if (duration > bounds.longestSeconds) throw refuse.tooLong(bounds.longestSeconds, duration);
  if (width * height > bounds.mostPixels) throw refuse.tooLarge(bounds.mostPixels, { width, height });
  if (frames > bounds.mostFrames) throw refuse.tooManyFrames(bounds.mostFrames);
}

type Refusals = ReturnType<typeof refusals>;

function refusals(field: string) {
  const refusal = (problem: Omit<FieldProblem, "loc">, cause?: unknown) =>
    new ForecourtError("invalid_input", `${field}: ${problem.msg}`, {
      problems: [{ loc: ["body", field], ...problem }],
      cause,
    });
  const ctx = { supported_formats: SUPPORTED };
  const wanted = `Please provide one of ${SUPPORTED.join(", ")}`;
  return {
    unsupported: (why: string) =>
      refusal({ msg: `The video is not read: ${why}. ${wanted}`, type: "unsupported_video_format", ctx }),
    damaged: (cause: unknown) =>
      refusal(
        {
          msg: `Failed to load the video: ${cause instanceof ForecourtError ? cause.message : "the file is damaged, or no video"}. ${wanted}, progressive, with 8 bits and 4:2:0`,
          type: "unsupported_video_format",
          ctx,
        },
        cause,
      ),
    tooLong: (longest: number, seconds: number) =>
      refusal({
        msg: `The video is longer than ${longest} seconds`,
        type: "video_duration_too_long",
        ctx: { max_duration: longest, provided_duration: seconds },
      }),
    tooLarge: (most: number, { width, height }: Size) =>
      refusal({
        msg: `The video's frames of ${width}x${height} have more than ${most} pixels`,
        type: "image_too_large",
      }),
    tooManyFrames: (most: number) =>
      refusal({ msg: `The video has more than ${most} frames`, type: "sequence_too_long", ctx: { max_length: most } }),
  };
}
