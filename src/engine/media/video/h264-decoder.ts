// H.264 by OpenH264: Baseline, Main and High, 8 bits, 4:2:0, progressive.
import { invariant } from "../../../core/errors.ts";
import type { AnnexB } from "./annex-b.ts";
import { openCodec, withBytes } from "./codec-module.ts";
import { type DecodedFrame, guarded, type ShownFrame, shownPlanes, undecodable, type VideoDecoder } from "./decoder.ts";
import wasm from "./wasm/openh264.wasm" with { type: "file" };

type OpenH264 = ShownFrame & {
  decoder_open(): number;
  decode(bytes: number, length: number, time: number): number;
  decode_end(): void;
  decode_rest(): number;
  shown_is(): number;
};

/** More than any stream may hold back (ITU-T H.264, max_dec_frame_buffering). */
const MOST_WAITING = 32;

export async function createH264Decoder({ head, convert }: AnnexB): Promise<VideoDecoder> {
  const codec = await openCodec<OpenH264>(wasm);
  invariant(codec.decoder_open() === 0, "OpenH264's decoder did not open");
  let begun = false;
  function* shown(): Iterable<DecodedFrame> {
    if (codec.shown_is()) yield shownPlanes(codec);
  }
  const feed = (bytes: Uint8Array) => {
    const state = withBytes(codec, bytes, (at) => guarded("H.264", () => codec.decode(at, bytes.length, 0)));
    if (state !== 0) throw undecodable("H.264", new Error(`OpenH264's state is ${state}`));
  };
  return {
    *decode(packet) {
      if (!begun && head.length > 0) feed(head);
      begun = true;
      feed(convert(packet));
      yield* shown();
    },
    *end() {
      guarded("H.264", () => codec.decode_end());
      yield* shown();
      for (let i = 0; i < MOST_WAITING; i++) {
        guarded("H.264", () => codec.decode_rest());
        if (!codec.shown_is()) return;
        yield* shown();
      }
    },
    // The instance and all that it holds goes with the last reference.
    [Symbol.dispose]() {},
  };
}
