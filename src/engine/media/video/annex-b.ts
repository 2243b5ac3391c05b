// H.264 as containers hold it, with lengths, made into what decoders read, with start codes (ITU-T H.264, annex B).
import { joinBytes } from "../join-bytes.ts";

const START = Uint8Array.of(0, 0, 0, 1);

export type AnnexB = {
  /** Parameter sets, to be decoded before all else. */
  head: Uint8Array;
  /** Of one packet. A length beyond the packet's end is cut. */
  convert(packet: Uint8Array): Uint8Array;
};

/** By an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 5.3.3.1); absent = the packets have start codes already. */
export function annexB(record: Uint8Array | undefined): AnnexB {
  if (!record || record.length < 7) return { head: new Uint8Array(), convert: (packet) => packet };
  const lengthBytes = ((record[4] ?? 0) & 3) + 1;
  const sets: Uint8Array[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (record[at++] ?? 0) & mask;
    for (let i = 0; i < count && at + 2 <= record.length; i++) {
      const length = ((record[at] ?? 0) << 8) | (record[at + 1] ?? 0);
      sets.push(START, record.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return { head: joinBytes(sets), convert: (packet) => joinBytes(unitsOf(packet, lengthBytes)) };
}

function unitsOf(packet: Uint8Array, lengthBytes: number): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let at = 0; at + lengthBytes < packet.length; ) {
    const length = packet.subarray(at, at + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
    at += lengthBytes;
    units.push(START, packet.subarray(at, at + length));
    at += length;
  }
  return units;
}
