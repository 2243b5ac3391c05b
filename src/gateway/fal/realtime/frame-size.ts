// How many values a MessagePack text has, told before it is decoded: each takes one byte of it and much more in memory.

/** Throws RangeError as soon as there are more than `most`; what is cut off is for the decoder to refuse. */
export function expectFewValues(frame: Uint8Array, most: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let values = 0;
  for (let at = 0; at < frame.length; at += lengthAt(view, at))
    if (++values > most) throw new RangeError(`a message has at most ${most} values`);
}

/** Of a value's head and, where it is no list or map, all of it: https://github.com/msgpack/msgpack/blob/master/spec.md. */
function lengthAt(view: DataView, at: number): number {
  const head = view.getUint8(at);
  if (head >= 0xa0 && head < 0xc0) return 1 + head - 0xa0; // a short string
  const { fixed = 1, counted = 0 } = HEADS[head] ?? {};
  if (counted === 0 || at + counted >= view.byteLength) return fixed;
  if (counted === 1) return fixed + view.getUint8(at + 1);
  return fixed + (counted === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1));
}

/** Bytes that a value has in any case, and of how many of them is told how many more follow. */
const HEADS: Readonly<Record<number, { fixed: number; counted?: 1 | 2 | 4 }>> = {
  // Bytes, and values of other types.
  ...{ 196: { fixed: 2, counted: 1 }, 197: { fixed: 3, counted: 2 }, 198: { fixed: 5, counted: 4 } },
  ...{ 199: { fixed: 3, counted: 1 }, 200: { fixed: 4, counted: 2 }, 201: { fixed: 6, counted: 4 } },
  // Numbers.
  ...{ 202: { fixed: 5 }, 203: { fixed: 9 }, 204: { fixed: 2 }, 205: { fixed: 3 }, 206: { fixed: 5 } },
  ...{ 207: { fixed: 9 }, 208: { fixed: 2 }, 209: { fixed: 3 }, 210: { fixed: 5 }, 211: { fixed: 9 } },
  ...{ 212: { fixed: 3 }, 213: { fixed: 4 }, 214: { fixed: 6 }, 215: { fixed: 10 }, 216: { fixed: 18 } },
  // Strings.
  ...{ 217: { fixed: 2, counted: 1 }, 218: { fixed: 3, counted: 2 }, 219: { fixed: 5, counted: 4 } },
  // Heads of lists and maps.
  ...{ 220: { fixed: 3 }, 221: { fixed: 5 }, 222: { fixed: 3 }, 223: { fixed: 5 } },
};
