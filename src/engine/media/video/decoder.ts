// What the decoders of videos have in common.
import { ForecourtError } from "../../../core/errors.ts";
import { bytesAt, type CodecMemory } from "./codec-module.ts";
import type { YuvColours, YuvPlanes } from "./yuv.ts";

/** Valid until the decoder is called again. `colours` where the stream itself tells them. */
export type DecodedFrame = YuvPlanes & { colours?: Partial<YuvColours> };

/** Both give frames in the order of their display. Throws `invalid_input` for what cannot be decoded. */
export type VideoDecoder = Disposable & {
  decode(packet: Uint8Array): Iterable<DecodedFrame>;
  /** What still waits for its turn. */
  end(): Iterable<DecodedFrame>;
};

export type ShownFrame = CodecMemory & {
  shown_width(): number;
  shown_height(): number;
  shown_stride(plane: number): number;
  shown_plane(plane: number): number;
};

export function shownPlanes(codec: ShownFrame): YuvPlanes {
  const [width, height] = [codec.shown_width(), codec.shown_height()];
  const strides = [codec.shown_stride(0), codec.shown_stride(1), codec.shown_stride(2)] as const;
  const [rows, halfRows] = [height, Math.ceil(height / 2)];
  const plane = (index: 0 | 1 | 2) =>
    bytesAt(codec, codec.shown_plane(index), strides[index] * ((index === 0 ? rows : halfRows) - 1) + wide(index));
  const wide = (index: number) => (index === 0 ? width : Math.ceil(width / 2));
  return { planes: [plane(0), plane(1), plane(2)], strides, width, height };
}

/** Codecs end their instance by a trap where they can go no further, as for want of memory. */
export function guarded<Result>(codec: string, call: () => Result): Result {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof WebAssembly.RuntimeError) throw undecodable(codec, cause);
    throw cause;
  }
}

export const undecodable = (codec: string, cause?: unknown) =>
  new ForecourtError("invalid_input", `the ${codec} in the video is damaged, or of a kind that is not read`, { cause });
