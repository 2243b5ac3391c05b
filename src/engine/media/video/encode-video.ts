// Writes frames as an MP4 file that browsers play: H.264, BT.709, everything about it at the file's beginning.
import { BufferTarget, EncodedPacket, EncodedVideoPacketSource, Mp4OutputFormat, Output } from "mediabunny";
import { invariant } from "../../../core/errors.ts";
import type { AnimationFormat, Pixels } from "../../../core/pipeline.ts";
import type { Size } from "../../diffusion/image-size.ts";
import type { Pause } from "../../pause.ts";
import { createH264Encoder } from "./h264-encoder.ts";

export type EncodedVideo = Size & {
  bytes: Uint8Array;
  contentType: "video/mp4" | `image/${AnimationFormat}`;
  fps: number;
  /** Seconds. */
  duration: number;
  frames: number;
};

type Encoding = {
  /** Frames per second. */
  fps: number;
  pause: Pause;
};

/**
 * The size is that of the first frame, which all must have; odd sides get their last row or column twice, so that the
 * video's may be larger by one. One frame at a time is held.
 */
export async function encodeVideo(
  frames: AsyncIterable<Pixels> | Iterable<Pixels>,
  { fps, pause }: Encoding,
): Promise<EncodedVideo> {
  const target = new BufferTarget();
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: "in-memory" }), target });
  const track = new EncodedVideoPacketSource("avc");
  output.addVideoTrack(track, { frameRate: fps });
  await output.start();
  let count = 0;
  let encoder: Awaited<ReturnType<typeof createH264Encoder>> | undefined;
  try {
    for await (const frame of frames) {
      encoder ??= await createH264Encoder({ ...sizeOf(frame), fps });
      const { bytes, isKey } = encoder.encode(frame);
      const packet = new EncodedPacket(bytes, isKey ? "key" : "delta", count / fps, 1 / fps);
      await track.add(packet, count === 0 ? { decoderConfig: configOf(bytes, encoder.size) } : undefined);
      count++;
      await pause();
    }
    invariant(encoder !== undefined, "a video without a frame");
    await output.finalize();
    invariant(target.buffer, "the video was not written");
    const bytes = new Uint8Array(target.buffer);
    return { ...encoder.size, bytes, contentType: "video/mp4", fps, duration: count / fps, frames: count };
  } finally {
    encoder?.[Symbol.dispose]();
    if (output.state === "started") await output.cancel();
  }
}

const sizeOf = ({ width, height }: Pixels): Size => ({ width, height });

/** `avc1.` and the three bytes behind the first parameter set's type (RFC 6381, section 3.3). */
function configOf(first: Uint8Array, { width, height }: Size): VideoDecoderConfig {
  const [, profile = 0, constraints = 0, level = 0] = first.subarray(4);
  const hex = [profile, constraints, level].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const colorSpace = { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false } as const;
  return { codec: `avc1.${hex}`, codedWidth: width, codedHeight: height, colorSpace };
}
