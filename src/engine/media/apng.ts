// Animated PNG, which libvips reads the first picture of alone: each frame as a PNG of its own, and all put together.
// https://www.w3.org/TR/png-3/#apng-frame-based-animation
import { crc32 } from "node:zlib";
import { ForecourtError } from "../../core/errors.ts";
import type { Film, Pixels } from "../../core/pipeline.ts";
import { joinBytes } from "./join-bytes.ts";

type Size = { width: number; height: number };
type Frame = Size & { x: number; y: number; delay: number; png: Uint8Array } & {
  /** What its place becomes before the next one. */
  after: "stays" | "cleared" | "as before";
  /** It replaces what is there, or lies on it. */
  lies: "instead" | "over";
};

type Chunk = { type: string; data: Uint8Array };

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const AFTER = ["stays", "cleared", "as before"] as const;
/** Milliseconds, for frames that say 0, as browsers have it. */
const USUAL_DELAY = 100;

/** Undefined for what is no animated PNG. Throws `invalid_input` for one that is broken. */
export function apngFilm(bytes: Uint8Array, decode: (png: Uint8Array) => Promise<Pixels>): Film | undefined {
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) return undefined;
  const chunks = chunksOf(bytes);
  const header = chunks[0]?.data;
  const control = chunks.slice(1).find(({ type }) => type === "acTL")?.data;
  if (!header || header.length < 13 || !control) return undefined;
  if (control.length < 8) throw broken();
  const size = sizeAt(header, 0);
  if (chunks.at(-1)?.type !== "IEND") throw broken();
  const frames = framesOf(chunks, header);
  if (frames.length === 0 || frames.some((frame) => !fits(frame, size))) throw broken();
  if (frames.length < viewOf(control).getUint32(0)) throw broken();
  return {
    count: frames.length,
    delays: frames.map(({ delay }) => delay),
    read: () => played(frames, size, decode),
  };
}

const viewOf = (data: Uint8Array) => new DataView(data.buffer, data.byteOffset, data.byteLength);
const sizeAt = (data: Uint8Array, at: number): Size => ({
  ...{ width: viewOf(data).getUint32(at), height: viewOf(data).getUint32(at + 4) },
});
const fits = ({ x, y, width, height }: Frame, size: Size) =>
  width > 0 && height > 0 && x + width <= size.width && y + height <= size.height;

/** Up to where the file ends or is cut off. */
function chunksOf(bytes: Uint8Array): Chunk[] {
  const view = viewOf(bytes);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    const type = new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8));
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** The picture of readers without animation is a frame only if it is announced as one. */
function framesOf(chunks: readonly Chunk[], header: Uint8Array): Frame[] {
  const first = chunks.findIndex(({ type }) => type === "IDAT");
  const shared = chunks.slice(1, first).filter(({ type }) => type !== "acTL" && type !== "fcTL");
  const begins = chunks.flatMap(({ type }, i) => (type === "fcTL" ? [i] : []));
  return begins.map((begin, i) => {
    const parts = chunks.slice(begin + 1, begins[i + 1]).flatMap(({ type, data }) => {
      if (type === "IDAT") return [data];
      return type === "fdAT" ? [data.subarray(4)] : [];
    });
    return frameOf(chunks[begin]?.data ?? new Uint8Array(), { header, shared, parts });
  });
}

type Parts = { header: Uint8Array; shared: readonly Chunk[]; parts: readonly Uint8Array[] };

function frameOf(control: Uint8Array, { header, shared, parts }: Parts): Frame {
  if (control.length < 26 || parts.length === 0) throw broken();
  const view = viewOf(control);
  const own = header.slice();
  own.set(control.subarray(4, 12));
  const seconds = view.getUint16(20) / (view.getUint16(22) || 100);
  return {
    ...sizeAt(control, 4),
    ...{ x: view.getUint32(12), y: view.getUint32(16), delay: seconds * 1000 || USUAL_DELAY },
    ...{ after: AFTER[view.getUint8(24)] ?? "stays", lies: view.getUint8(25) === 1 ? "over" : "instead" },
    png: joinBytes([
      SIGNATURE,
      chunkOf({ type: "IHDR", data: own }),
      ...shared.map(chunkOf),
      ...parts.map((data) => chunkOf({ type: "IDAT", data })),
      chunkOf({ type: "IEND", data: new Uint8Array() }),
    ]),
  };
}

function chunkOf({ type, data }: Chunk): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  const view = viewOf(chunk);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

async function* played(
  frames: readonly Frame[],
  { width, height }: Size,
  decode: (png: Uint8Array) => Promise<Pixels>,
): AsyncIterable<Pixels> {
  const canvas = { data: new Uint8Array(width * height * 4), width, height, channels: 4 as const };
  for (const [i, frame] of frames.entries()) {
    // What was there before the first one is nothing.
    const before = frame.after === "as before" && i > 0 ? canvas.data.slice() : undefined;
    draw(canvas, await decode(frame.png), frame);
    yield { ...canvas, data: canvas.data.slice() };
    if (before) canvas.data.set(before);
    else if (frame.after !== "stays") clear(canvas, frame);
  }
}

function draw(canvas: Pixels, { data, channels, width, height }: Pixels, { x, y, lies }: Frame): void {
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * channels;
      const to = ((y + row) * canvas.width + x + column) * 4;
      const alpha = channels === 4 ? (data[from + 3] ?? 0) / 255 : 1;
      const below = lies === "over" ? ((canvas.data[to + 3] ?? 0) / 255) * (1 - alpha) : 0;
      const whole = alpha + below;
      for (let c = 0; c < 3; c++) {
        const own = data[from + (channels === 1 ? 0 : c)] ?? 0;
        canvas.data[to + c] = whole > 0 ? (own * alpha + (canvas.data[to + c] ?? 0) * below) / whole + 0.5 : 0;
      }
      canvas.data[to + 3] = whole * 255 + 0.5;
    }
}

function clear({ data, width }: Pixels, frame: Frame): void {
  for (let row = 0; row < frame.height; row++) {
    const from = ((frame.y + row) * width + frame.x) * 4;
    data.fill(0, from, from + frame.width * 4);
  }
}

function broken(): ForecourtError {
  const msg = "Failed to load the image: the animated PNG is broken";
  return new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body"], msg, type: "image_load_error" }] });
}
