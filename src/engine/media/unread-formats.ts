// Files that callers send as pictures and that are not read, by their first bytes: what they are told to send instead depends on it.

const ascii = (bytes: Uint8Array, from: number, length: number) =>
  String.fromCharCode(...bytes.subarray(from, from + length));

/** How far a page or a drawing is looked into for its first tag. */
const HEAD_BYTES = 1024;

/** Brands of ISO's base format (ISO/IEC 23008-12) that stand for pictures in HEVC; AVIF's are others. */
const HEIC = new Set(["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"]);

const brandOf = (bytes: Uint8Array) => (ascii(bytes, 4, 4) === "ftyp" ? ascii(bytes, 8, 4) : "");

const formats: readonly [name: string, is: (head: { bytes: Uint8Array; text: string }) => boolean][] = [
  ["HEIC", ({ bytes }) => HEIC.has(brandOf(bytes))],
  ["a video", ({ bytes }) => /^(?!avi[fs])./.test(brandOf(bytes))],
  ["a video", ({ bytes }) => [0x1a, 0x45, 0xdf, 0xa3].every((byte, i) => bytes[i] === byte)],
  ["JPEG XL", ({ bytes }) => (bytes[0] === 0xff && bytes[1] === 0x0a) || ascii(bytes, 4, 4) === "JXL "],
  ["JPEG 2000", ({ bytes }) => ascii(bytes, 4, 4) === "jP  "],
  ["BMP", ({ text }) => text.startsWith("BM")],
  ["an icon", ({ bytes }) => [0, 0, 1, 0].every((byte, i) => bytes[i] === byte)],
  ["a Photoshop file", ({ text }) => text.startsWith("8BPS")],
  ["PDF", ({ text }) => text.startsWith("%PDF")],
  ["SVG", ({ text }) => /^\s*(<\?xml[^>]*>|<!--|<!doctype svg|<svg)/i.test(text) && /<svg[\s>]/i.test(text)],
  ["a web page", ({ text }) => /^\s*<(!doctype html|html|head|body)/i.test(text)],
];

/** Such as "HEIC" or "a web page"; undefined for what is none of them. */
export function unreadFormat(bytes: Uint8Array): string | undefined {
  const text = ascii(bytes, 0, HEAD_BYTES).replace(/^\xef\xbb\xbf/, "");
  return formats.find(([, is]) => is({ bytes, text }))?.[0];
}
