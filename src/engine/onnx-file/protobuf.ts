// Protocol buffers without a schema: the fields of a message, and messages from fields. As much as ONNX files need.
import { ForecourtError } from "../../core/errors.ts";

/** `value` of wire type 0 is a number, of the others the bytes. */
export type Field = { number: number; wire: number; value: number | Uint8Array };

const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

/** In the message's order; the values are parts of its memory. Throws `weights_missing` for what is no message. */
export function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  const reader = { message, at: 0 };
  while (reader.at < message.length) {
    const tag = readVarint(reader);
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === VARINT) fields.push({ number, wire, value: readVarint(reader) });
    else fields.push({ number, wire, value: readBytes(reader, wire) });
  }
  return fields;
}

type Reader = { message: Uint8Array; at: number };

/** Beyond 2^53 the last digits are lost: ONNX's numbers are smaller, or only handed on in whole messages. */
function readVarint(reader: Reader): number {
  let [value, factor] = [0, 1];
  for (;;) {
    const byte = reader.message[reader.at++];
    if (byte === undefined) throw broken();
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 0x80;
  }
}

function readBytes(reader: Reader, wire: number): Uint8Array {
  const length = wire === BYTES ? readVarint(reader) : wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : Number.NaN;
  const end = reader.at + length;
  if (!(end <= reader.message.length)) throw broken();
  const bytes = reader.message.subarray(reader.at, end);
  reader.at = end;
  return bytes;
}

const broken = () => new ForecourtError("weights_missing", "the graph's file is cut off or not an ONNX file");

/** The pieces of a message, to be written one after the other; bytes are not copied. */
export function encode(fields: readonly Field[]): Uint8Array[] {
  return fields.flatMap(({ number, wire, value }) => {
    const tag = varint(number * 8 + wire);
    if (typeof value === "number") return [tag, varint(value)];
    return wire === BYTES ? [tag, varint(value.length), value] : [tag, value];
  });
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Uint8Array.of(...bytes, rest);
}

export const lengthOf = (pieces: readonly Uint8Array[]) => pieces.reduce((sum, { length }) => sum + length, 0);

/** A field that is a message of its own. */
export function message(number: number, fields: readonly Field[]): Field {
  const pieces = encode(fields);
  const value = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    value.set(piece, at);
    at += piece.length;
  }
  return { number, wire: BYTES, value };
}

const utf8 = { to: new TextEncoder(), from: new TextDecoder() };
export const textField = (number: number, text: string): Field => ({
  number,
  wire: BYTES,
  value: utf8.to.encode(text),
});
export const textOf = ({ value }: Field) => (typeof value === "number" ? String(value) : utf8.from.decode(value));
