// Whether a Matroska or WebM file is there to its end: its reader gives the clusters that are there, and says nothing of others.
// https://www.rfc-editor.org/rfc/rfc8794 and rfc9559

const [EBML, SEGMENT] = [0x1a45dfa3, 0x18538067];
const ID_BYTES = 4;

/** False for other files, and for those that were written without knowing their length, as recorders do. */
export function isCutOffSegment(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = elementAt(view, 0, EBML);
  const segment = head && elementAt(view, head.end, SEGMENT);
  return segment !== undefined && segment.end > bytes.length;
}

/** Undefined for another element, and for one that does not say how long it is. */
function elementAt(view: DataView, at: number, id: number): { end: number } | undefined {
  if (at + ID_BYTES >= view.byteLength || view.getUint32(at) !== id) return undefined;
  const first = view.getUint8(at + ID_BYTES);
  // One bit more of zeros before the first one is one byte more; no number is longer than eight.
  const bytes = Math.clz32(first) - 23;
  if (bytes > 8 || at + ID_BYTES + bytes > view.byteLength) return undefined;
  let length = BigInt(first) & ((1n << BigInt(8 - bytes)) - 1n);
  for (let i = 1; i < bytes; i++) length = (length << 8n) | BigInt(view.getUint8(at + ID_BYTES + i));
  const isUnknown = length === (1n << BigInt(7 * bytes)) - 1n;
  return isUnknown ? undefined : { end: at + ID_BYTES + bytes + Number(length) };
}
