// Writes FLAC files (RFC 9639): channels of 16 bits, each for itself, fixed predictors, Rice codes.
import { createBits } from "./bits.ts";
import type { Channels } from "./channels.ts";
import { joinBytes } from "./join-bytes.ts";
import { toPcm16 } from "./wav.ts";

const BLOCK = 4096;
const BITS = 16;

/** Lossless over the 16 bits. The checksum of the whole sound is left out, which the format allows. */
export function encodeFlac({ channels, rate }: Channels): Uint8Array {
  const pcm = channels.map(toPcm16);
  const [{ length } = new Int16Array()] = pcm;
  const frames: Uint8Array[] = [];
  for (let at = 0; at < length; at += BLOCK)
    frames.push(
      frameOf(
        pcm.map((each) => each.subarray(at, at + BLOCK)),
        { number: at / BLOCK, rate },
      ),
    );
  return joinBytes([
    new TextEncoder().encode("fLaC"),
    streamInfo({ length, rate, channels: channels.length }),
    ...frames,
  ]);
}

/** RFC 9639, section 8.2, as the last block of metadata. */
function streamInfo({ length: total, rate, channels }: { length: number; rate: number; channels: number }): Uint8Array {
  const bits = createBits();
  bits.write(0x80, 8);
  bits.write(34, 24);
  bits.write(BLOCK, 16);
  bits.write(BLOCK, 16);
  bits.write(0, 24); // sizes of frames: not known
  bits.write(0, 24);
  bits.write(rate, 20);
  bits.write(channels - 1, 3);
  bits.write(BITS - 1, 5);
  bits.write(Math.floor(total / 2 ** 32), 4);
  bits.write(total % 2 ** 32, 32);
  for (let i = 0; i < 16; i++) bits.write(0, 8);
  return bits.bytes();
}

function frameOf(blocks: readonly Int16Array[], { number, rate }: { number: number; rate: number }): Uint8Array {
  const bits = createBits();
  bits.write(0xfff8, 16); // sync code, blocks of one size
  bits.write(0b0111, 4); // the block's size follows in 16 bits
  // The rate follows in 16 bits, in Hz: readers of streams want it here. Higher ones are in the stream's information.
  const isWritten = rate < 2 ** 16;
  bits.write(isWritten ? 0b1101 : 0, 4);
  bits.write(blocks.length - 1, 4); // so many channels, independent of each other
  bits.write(0b100, 3); // 16 bits a sample
  bits.write(0, 1);
  for (const byte of utf8Number(number)) bits.write(byte, 8);
  bits.write((blocks[0]?.length ?? 0) - 1, 16);
  if (isWritten) bits.write(rate, 16);
  bits.write(crc8(bits.bytes()), 8);
  for (const block of blocks) writeSubframe(bits, block);
  bits.align();
  const body = bits.bytes();
  const sum = crc16(body);
  return joinBytes([body, Uint8Array.of(sum >> 8, sum & 255)]);
}

type Bits = ReturnType<typeof createBits>;

/** One value where all are the same, the best of the fixed predictors (section 9.2.5) with one Rice parameter, or the samples as they are. */
function writeSubframe(bits: Bits, block: Int16Array): void {
  const [first = 0] = block;
  if (block.every((value) => value === first)) {
    bits.write(0, 8); // constant
    bits.writeSigned(first, BITS);
    return;
  }
  const { order, residual, parameter, size } = bestPrediction(block);
  if (block.length <= 4 || size >= block.length * BITS) {
    bits.write(0b0000_0010, 8); // verbatim
    for (const value of block) bits.writeSigned(value, BITS);
    return;
  }
  bits.write((0b001000 | order) << 1, 8);
  for (const value of block.subarray(0, order)) bits.writeSigned(value, BITS);
  bits.write(0, 2); // Rice codes with parameters of 4 bits
  bits.write(0, 4); // one partition
  bits.write(parameter, 4);
  for (const value of residual) {
    const folded = value >= 0 ? 2 * value : -2 * value - 1;
    bits.writeUnary(folded >>> parameter);
    if (parameter > 0) bits.write(folded & ((1 << parameter) - 1), parameter);
  }
}

type Prediction = { order: number; residual: Int32Array; parameter: number; size: number };

function bestPrediction(block: Int16Array): Prediction {
  let values = Int32Array.from(block);
  let best: Prediction = { order: 0, residual: values, ...riceOf(values) };
  for (let order = 1; order <= 4; order++) {
    const differences = new Int32Array(Math.max(0, values.length - 1));
    for (let i = 0; i < differences.length; i++) differences[i] = (values[i + 1] ?? 0) - (values[i] ?? 0);
    values = differences;
    const rice = riceOf(values);
    const size = rice.size + order * BITS;
    if (size < best.size) best = { order, residual: values, ...rice, size };
  }
  return best;
}

/** The parameter from the mean, and the bits that it takes; 15 stands for something else. */
function riceOf(values: Int32Array): { parameter: number; size: number } {
  let sum = 0;
  for (const value of values) sum += value >= 0 ? 2 * value : -2 * value - 1;
  const mean = sum / Math.max(1, values.length);
  const parameter = Math.min(14, Math.max(0, Math.floor(Math.log2(mean + 1))));
  let size = 0;
  for (const value of values) size += ((value >= 0 ? 2 * value : -2 * value - 1) >>> parameter) + 1 + parameter;
  return { parameter, size };
}

/** As UTF-8 codes a letter (section 9.1.5); up to 2^21 blocks, which is days of sound. */
function utf8Number(value: number): number[] {
  if (value < 0x80) return [value];
  if (value < 0x800) return [0xc0 | (value >> 6), 0x80 | (value & 63)];
  if (value < 0x1_0000) return [0xe0 | (value >> 12), 0x80 | ((value >> 6) & 63), 0x80 | (value & 63)];
  return [0xf0 | (value >> 18), 0x80 | ((value >> 12) & 63), 0x80 | ((value >> 6) & 63), 0x80 | (value & 63)];
}

const crc8 = (bytes: Uint8Array) => crc(bytes, { width: 8, polynomial: 0x07 });
const crc16 = (bytes: Uint8Array) => crc(bytes, { width: 16, polynomial: 0x8005 });

function crc(bytes: Uint8Array, { width, polynomial }: { width: number; polynomial: number }): number {
  const [top, mask] = [1 << (width - 1), 2 ** width - 1];
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << (width - 8);
    for (let bit = 0; bit < 8; bit++) sum = (sum & top ? (sum << 1) ^ polynomial : sum << 1) & mask;
  }
  return sum;
}
