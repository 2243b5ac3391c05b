// Writes frames as a picture that moves, for places that show pictures and no videos: GIF or WebP, over and over.
import { invariant } from "../../../core/errors.ts";
import type { AnimationFormat, ImageCodec, Pixels } from "../../../core/pipeline.ts";
import { wrongField } from "../../../core/wrong-field.ts";
import type { Size } from "../../diffusion/image-size.ts";
import type { Pause } from "../../pause.ts";
import type { EncodedVideo } from "./encode-video.ts";

export type Planned = Size & { fps: number; frames: number };

type Encoding = {
  /** Frames per second. */
  fps: number;
  format: AnimationFormat;
  codec: ImageCodec;
  pause: Pause;
};

/** Milliseconds in which the formats count; browsers take GIF's shortest time for a tenth of a second. */
const TICKS = { gif: 10, webp: 1 } as const;
const MOST_GIF_FPS = 50;
/** All frames are held, unlike a video's: some hundred of 1024 x 576. */
const MOST_PIXELS = 64 * 1024 * 1024;
/** VP8's (RFC 6386, section 9.1), and GIF's own is four times that. */
const MOST_SIDE = 16_383;

/** Throws `invalid_input`, naming the field, for what is not written. */
export function expectAnimation(format: AnimationFormat, { fps, frames, width, height }: Planned): void {
  if (format === "gif" && fps > MOST_GIF_FPS)
    throw wrongField(
      "fps",
      `A GIF shows ${MOST_GIF_FPS} frames a second at most: ask for fewer, or for another format`,
    );
  if (width * height * frames > MOST_PIXELS || Math.max(width, height) > MOST_SIDE) {
    const size = `${frames} frames of ${width}x${height}`;
    throw wrongField("video_output_type", `A picture that moves of ${size} is not written: ask for MP4, or for less`);
  }
}

/** What `expectAnimation` lets through, of one size. */
export async function encodeAnimation(
  frames: AsyncIterable<Pixels> | Iterable<Pixels>,
  { fps, format, codec, pause }: Encoding,
): Promise<EncodedVideo> {
  const held: Pixels[] = [];
  for await (const frame of frames) {
    const { width, height } = held[0] ?? frame;
    invariant(frame.width === width && frame.height === height, "a frame has another size than the video");
    held.push(frame);
    await pause();
  }
  const [first] = held;
  invariant(first, "a video without a frame");
  const { width, height } = first;
  const bytes = await codec.animate(held, { format, delays: delaysOf(held.length, fps, TICKS[format]) });
  return {
    width,
    height,
    bytes,
    contentType: `image/${format}`,
    fps,
    duration: held.length / fps,
    frames: held.length,
  };
}

/** Each ends where it would, to the nearest tick, so that nothing adds up. */
const delaysOf = (count: number, fps: number, tick: number): number[] =>
  Array.from({ length: count }, (_, i) => tick * (endOf(i + 1, fps, tick) - endOf(i, fps, tick)));

const endOf = (frames: number, fps: number, tick: number) => Math.round((frames * 1000) / fps / tick);
