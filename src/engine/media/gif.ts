// Whether a GIF is there to its end: libvips shows what is there of one that is cut off, and says nothing.
// https://www.w3.org/Graphics/GIF/spec-gif89a.txt

const [EXTENSION, IMAGE, TRAILER] = [0x21, 0x2c, 0x3b];
/** The signature with the logical screen; an image's own head, its introducer included. */
const [SCREEN_BYTES, IMAGE_BYTES] = [13, 10];

/** False for what is no GIF, and for one whose blocks cannot be followed: what is wrong with that its reader says. */
export function isCutOffGif(bytes: Uint8Array): boolean {
  if (!["GIF87a", "GIF89a"].includes(String.fromCharCode(...bytes.subarray(0, 6)))) return false;
  let at = SCREEN_BYTES + tableBytes(bytes[10]);
  for (; at < bytes.length; at = afterBlocks(bytes, at)) {
    const introducer = bytes[at];
    if (introducer === TRAILER) return false;
    // Behind the label of the one, and the size of codes of the other.
    if (introducer === EXTENSION) at += 2;
    else if (introducer === IMAGE) at += IMAGE_BYTES + tableBytes(bytes[at + IMAGE_BYTES - 1]) + 1;
    else return false;
  }
  return true;
}

/** Of the table of colours that the flags of a screen or an image announce. */
const tableBytes = (flags = 0) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));

/** Behind the block of no bytes that ends a row of blocks, each of which begins with its length. */
function afterBlocks(bytes: Uint8Array, from: number): number {
  let at = from;
  for (let length = bytes[at]; length !== undefined && length > 0; length = bytes[at]) at += 1 + length;
  return at + 1;
}
