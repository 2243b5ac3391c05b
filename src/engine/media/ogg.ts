// The pages of an Ogg file around a codec's packets (RFC 3533): written, and found.
import { joinBytes } from "./join-bytes.ts";

export type OggStream = {
  /** Each begins a page of its own. */
  headers: readonly Uint8Array[];
  packets: readonly Uint8Array[];
  samplesPerPacket: number;
  /** Position of the last sample: what is beyond is thrown away. */
  end: number;
};

/** Packets on one page: one second of 20 ms. At most 255 segments of 255 bytes fit. */
const PER_PAGE = 50;
const SERIAL = 1;
const [FIRST, LAST] = [2, 4];
const MARK = new TextEncoder().encode("OggS");

export function oggPages({ headers, packets, samplesPerPacket, end }: OggStream): Uint8Array {
  const groups: Uint8Array[][] = [];
  for (let at = 0; at < packets.length; at += PER_PAGE) groups.push(packets.slice(at, at + PER_PAGE));
  const pages = [
    ...headers.map((header) => ({ packets: [header], position: 0 })),
    ...groups.map((group, i) => ({
      packets: group,
      position: Math.min(end, (i * PER_PAGE + group.length) * samplesPerPacket),
    })),
  ];
  return joinBytes(
    pages.map((page, number) =>
      pageOf(page, { number, flags: (number === 0 ? FIRST : 0) | (number === pages.length - 1 ? LAST : 0) }),
    ),
  );
}

type Page = { packets: readonly Uint8Array[]; position: number };

function pageOf({ packets, position }: Page, { number, flags }: { number: number; flags: number }): Uint8Array {
  const lacing = packets.flatMap(({ length }) => [...Array<number>(Math.floor(length / 255)).fill(255), length % 255]);
  const page = joinBytes([new Uint8Array(27), Uint8Array.from(lacing), ...packets]);
  const view = new DataView(page.buffer);
  page.set(MARK);
  view.setUint8(5, flags);
  view.setBigUint64(6, BigInt(position), true);
  view.setUint32(14, SERIAL, true);
  view.setUint32(18, number, true);
  view.setUint8(26, lacing.length);
  view.setUint32(22, checksum(page), true);
  return page;
}

/**
 * A file up to its last whole page: of a page that was cut off decoders make up what is missing, seconds of it. Of a file in which
 * something else lies between the pages, all.
 */
export function wholeOggPages(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; ) {
    const segments = bytes[at + 26] ?? 0;
    const lengths = bytes.subarray(at + 27, at + 27 + segments);
    const end = at + 27 + segments + lengths.reduce((sum, each) => sum + each, 0);
    if (end > bytes.length || lengths.length < segments) return bytes.subarray(0, at);
    if (!MARK.every((byte, i) => bytes[at + i] === byte)) return bytes;
    at = end;
  }
  return bytes;
}

/** CRC-32 of the polynomial 04c11db7, neither reflected nor inverted. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) sum = sum & 0x8000_0000 ? (sum << 1) ^ 0x04c1_1db7 : sum << 1;
  }
  return sum >>> 0;
}
