// The 512 bytes before each file of a tar archive (POSIX ustar, with GNU's base-256 for sizes beyond 8 GiB).
import { ForecourtError } from "../../core/errors.ts";

export const BLOCK = 512;

export type TarEntry = { name: string; size: number };

const LONGEST_OCTAL = 0o77777777777;

/** Names have 255 bytes at most, cut at a slash, and 100 behind the last one; ours are far shorter. */
export function tarHeader({ name, size }: TarEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  const [prefix, rest] = splitName(name);
  header.write(rest, 0, 100);
  header.write("0000600\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  if (size <= LONGEST_OCTAL) header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  else {
    header.writeUInt8(0x80, 124);
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write("00000000000\0", 136);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  header.write(prefix, 345, 155);
  header.write(`${checksum(header).toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** Undefined for the zeros that end an archive. Throws `bad_request` for bytes that are no header of a plain file. */
export function readTarHeader(header: Buffer): TarEntry | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  const stated = Number.parseInt(text(header, 148, 8), 8);
  if (stated !== checksum(header)) throw damaged("a header of it is broken");
  const type = header[156];
  if (type !== 0x30 && type !== 0) throw damaged("it holds something other than plain files");
  const prefix = text(header, 345, 155);
  const name = text(header, 0, 100);
  const isLarge = (header[124] ?? 0) >= 0x80;
  const size = isLarge ? Number(header.readBigUInt64BE(128)) : Number.parseInt(text(header, 124, 12), 8);
  if (!Number.isSafeInteger(size) || size < 0) throw damaged("a size in it is none");
  return { name: prefix === "" ? name : `${prefix}/${name}`, size };
}

export const damaged = (why: string, cause?: unknown) =>
  new ForecourtError("bad_request", `This is no whole archive of Forecourt: ${why}. Nothing was changed.`, { cause });

/** For a whole archive that another command takes. */
export const otherArchive = (what: string) =>
  new ForecourtError("bad_request", `This archive is ${what}. Nothing was changed.`);

function splitName(name: string): [prefix: string, rest: string] {
  const whole = Buffer.from(name);
  if (whole.byteLength <= 100) return ["", name];
  const slash = whole.indexOf("/", whole.byteLength - 101);
  if (slash < 0 || slash > 155)
    throw new Error(`the name ${name} is too long for a tar archive; give it a shorter one`);
  return [whole.toString("utf8", 0, slash), whole.toString("utf8", slash + 1)];
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  return sum;
}

const text = (header: Buffer, start: number, length: number) =>
  header.toString("utf8", start, start + length).replace(/\0[\s\S]*$/, "");
