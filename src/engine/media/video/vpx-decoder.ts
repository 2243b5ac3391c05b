// VP8 and VP9 by libvpx: 8 bits, 4:2:0.
import { invariant } from "../../../core/errors.ts";
import { openCodec, withBytes } from "./codec-module.ts";
import { type DecodedFrame, guarded, type ShownFrame, shownPlanes, undecodable, type VideoDecoder } from "./decoder.ts";
import wasm from "./wasm/vpx.wasm" with { type: "file" };
import type { YuvMatrix } from "./yuv.ts";

type Vpx = ShownFrame & {
  decoder_open(version: number): number;
  decode(bytes: number, length: number): number;
  decode_next(): number;
  shown_is_420(): number;
  shown_color_space(): number;
  shown_is_full_range(): number;
};

/** vpx_color_space_t of vpx_image.h. */
const MATRICES: Record<number, YuvMatrix> = { 1: "bt601", 2: "bt709", 3: "bt601", 5: "bt2020" };

export async function createVpxDecoder(version: 8 | 9): Promise<VideoDecoder> {
  const codec = await openCodec<Vpx>(wasm);
  const name = `VP${version}`;
  invariant(codec.decoder_open(version) === 0, `libvpx's decoder of ${name} did not open`);
  return {
    *decode(packet): Iterable<DecodedFrame> {
      const failed = withBytes(codec, packet, (at) => guarded(name, () => codec.decode(at, packet.length)));
      if (failed !== 0) throw undecodable(name, new Error(`libvpx's error is ${failed}`));
      while (codec.decode_next()) {
        if (!codec.shown_is_420()) throw undecodable(name, new Error("its colours are not 4:2:0"));
        const matrix = MATRICES[codec.shown_color_space()];
        const isFullRange = codec.shown_is_full_range() === 1;
        yield { ...shownPlanes(codec), ...(version === 9 && { colours: { isFullRange, ...(matrix && { matrix }) } }) };
      }
    },
    *end() {},
    // The instance and all that it holds goes with the last reference.
    [Symbol.dispose]() {},
  };
}
