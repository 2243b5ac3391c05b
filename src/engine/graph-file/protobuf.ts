// The little of protobuf's wire format that a graph file needs: numbers, texts, bytes and messages in each other.

export type Part = Uint8Array | readonly Part[];

const [VARINT, LENGTH, FIXED32] = [0, 2, 5];

/** Negative ones as int64 in two's complement. */
export const integer = (field: number, value: number | bigint): Part => [tag(field, VARINT), varint(value)];

export function float(field: number, value: number): Part {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [tag(field, FIXED32), bytes];
}

export const bytes = (field: number, value: Uint8Array): Part => [tag(field, LENGTH), varint(value.byteLength), value];

export const text = (field: number, value: string): Part => bytes(field, new TextEncoder().encode(value));

export const message = (field: number, ...parts: Part[]): Part => [tag(field, LENGTH), varint(sizeOf(parts)), parts];

/** All of it in one piece. */
export function join(parts: Part): Uint8Array {
  const joined = new Uint8Array(sizeOf(parts));
  let at = 0;
  const place = (part: Part): void => {
    if (part instanceof Uint8Array) {
      joined.set(part, at);
      at += part.byteLength;
    } else {
      for (const each of part) place(each);
    }
  };
  place(parts);
  return joined;
}

const sizeOf = (part: Part): number =>
  part instanceof Uint8Array ? part.byteLength : part.reduce((sum, each) => sum + sizeOf(each), 0);

const tag = (field: number, wire: number) => varint((field << 3) | wire);

function varint(value: number | bigint): Uint8Array {
  const digits: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const digit = Number(rest & 127n);
    rest >>= 7n;
    digits.push(rest > 0n ? digit | 128 : digit);
  } while (rest > 0n);
  return Uint8Array.from(digits);
}
