// Writes numbers bit by bit, the highest bit first.

export function createBits() {
  let bytes = new Uint8Array(1024);
  let length = 0; // in bits

  function write(value: number, count: number): void {
    if ((length + count + 8) >> 3 >= bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    for (let bit = count - 1; bit >= 0; bit--) {
      // A shift by 32 and more would wrap.
      const one = bit >= 31 ? Math.floor(value / 2 ** bit) & 1 : (value >>> bit) & 1;
      const at = length >> 3;
      if (one) bytes[at] = (bytes[at] ?? 0) | (0x80 >> (length & 7));
      length++;
    }
  }

  return {
    write,
    /** Two's complement. */
    writeSigned: (value: number, count: number) => write(value & (2 ** count - 1), count),
    /** So many zeros and a one. */
    writeUnary(value: number): void {
      for (let left = value; left > 0; left -= 16) write(0, Math.min(16, left));
      write(1, 1);
    },
    /** Zeros up to the next byte. */
    align(): void {
      length = (length + 7) & ~7;
    },
    /** What was written, the last byte filled up with zeros. */
    bytes: () => bytes.slice(0, (length + 7) >> 3),
  };
}
