// H.264 by OpenH264: frames in, access units out.
import { ForecourtError, invariant } from "../../../core/errors.ts";
import type { Pixels } from "../../../core/pipeline.ts";
import type { Size } from "../../diffusion/image-size.ts";
import { bytesAt, type CodecMemory, openCodec, withBytes } from "./codec-module.ts";
import wasm from "./wasm/openh264.wasm" with { type: "file" };
import { evenSize, toYuv } from "./yuv.ts";

type OpenH264 = CodecMemory & {
  encoder_open(width: number, height: number, fps: number, quantizer: number, keyFrameEvery: number): number;
  encode(planes: number, width: number, height: number, milliseconds: number): number;
  coded_copy(to: number): void;
  coded_is_key(): number;
  encoder_close(): void;
};

/** Of 51: hardly to be told from the pictures themselves. */
const QUANTIZER = 18;
/** Players can jump to frames that stand for themselves. */
const KEY_FRAME_SECONDS = 2;
/** Level 5.2's largest picture in macroblocks (ITU-T H.264, table A-1), and the sides that OpenH264 takes. */
const MOST_MACROBLOCKS = 36_864;
const LEAST_SIDE = 16;

export type AccessUnit = {
  /** With start codes (Annex B). */
  bytes: Uint8Array;
  isKey: boolean;
};

export type H264Encoder = Disposable & {
  /** Of the video: even sides. */
  size: Size;
  encode(frame: Pixels): AccessUnit;
};

/** Throws `invalid_input` for sizes that H.264 has no level for. */
export function expectH264({ width, height }: Size): void {
  if (Math.min(width, height) < LEAST_SIDE || Math.ceil(width / 16) * Math.ceil(height / 16) > MOST_MACROBLOCKS)
    throw new ForecourtError("invalid_input", `a video of ${width}x${height} cannot be written as H.264`);
}

/** For frames of this size. Throws as `expectH264`. */
export async function createH264Encoder({ width, height, fps }: Size & { fps: number }): Promise<H264Encoder> {
  expectH264({ width, height });
  const size = evenSize({ width, height });
  const codec = await openCodec<OpenH264>(wasm);
  const opened = codec.encoder_open(size.width, size.height, fps, QUANTIZER, Math.ceil(fps * KEY_FRAME_SECONDS));
  invariant(opened === 0, `OpenH264 refused ${size.width}x${size.height} at ${fps} frames per second with ${opened}`);
  const planes = new Uint8Array((size.width * size.height * 3) / 2);
  let at = 0;
  return {
    size,
    encode(frame) {
      invariant(frame.width === width && frame.height === height, "a frame has another size than the video");
      toYuv(frame, planes);
      const milliseconds = (at++ * 1000) / fps;
      const length = withBytes(codec, planes, (from) => codec.encode(from, size.width, size.height, milliseconds));
      invariant(length !== undefined && length > 0, `OpenH264 did not encode a frame: ${length}`);
      const isKey = codec.coded_is_key() === 1;
      return { bytes: codedBytes(codec, length), isKey };
    },
    [Symbol.dispose]: () => codec.encoder_close(),
  };
}

function codedBytes(codec: OpenH264, length: number): Uint8Array {
  const at = codec.allocate(length);
  invariant(at !== 0, "OpenH264 has no memory left");
  codec.coded_copy(at);
  const bytes = bytesAt(codec, at, length).slice();
  codec.release(at);
  return bytes;
}
