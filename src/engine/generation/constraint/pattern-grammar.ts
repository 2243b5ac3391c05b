// The grammar of the strings that a regular expression describes, as JSON writes them: the part of the language without
// look-around and back references.
import {
  type ByteSet,
  beyondAscii,
  byteIn,
  bytes,
  choice,
  hasByte,
  literal,
  type Node,
  nothing,
  repeat,
  sequence,
} from "./grammar.ts";
import { sign } from "./json-grammar.ts";

/** Undefined for an expression that uses more. Unanchored ends let anything stand before and behind. */
export function patternGrammar(pattern: string): Node | undefined {
  const reader = { text: pattern, at: 0 };
  const isBegun = pattern.startsWith("^");
  const isEnded = /(^|[^\\])(\\\\)*\$$/.test(pattern);
  reader.text = pattern.slice(isBegun ? 1 : 0, isEnded ? -1 : undefined);
  try {
    const inside = alternatives(reader);
    if (reader.at < reader.text.length) return undefined;
    const anything = repeat(sign, 0);
    return sequence(isBegun ? nothing : anything, inside, isEnded ? nothing : anything);
  } catch {
    return undefined;
  }
}

type Reader = { text: string; at: number };

const unsupported = () => new SyntaxError("not of the part that is kept to");

function alternatives(reader: Reader): Node {
  const options = [terms(reader)];
  while (reader.text[reader.at] === "|") {
    reader.at++;
    options.push(terms(reader));
  }
  return choice(...options);
}

function terms(reader: Reader): Node {
  const parts: Node[] = [];
  for (;;) {
    const next = reader.text[reader.at];
    if (next === undefined || next === "|" || next === ")") return sequence(...parts);
    parts.push(counted(atom(reader), reader));
  }
}

function counted(node: Node, reader: Reader): Node {
  const [written = "", least, comma, most] = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(reader.text.slice(reader.at)) ?? [];
  if (written === "") return node;
  reader.at += written.length;
  if (reader.text[reader.at] === "?") reader.at++; // lazy: the same strings
  if (written === "*") return repeat(node, 0);
  if (written === "+") return repeat(node, 1);
  if (written === "?") return repeat(node, 0, 1);
  return repeat(node, Number(least), comma === "" ? Number(least) : most ? Number(most) : Number.POSITIVE_INFINITY);
}

function atom(reader: Reader): Node {
  const next = [...reader.text.slice(reader.at, reader.at + 2)][0] ?? "";
  reader.at += next.length;
  if (next === "(") return group(reader);
  if (next === "[") return classOf(reader);
  if (next === ".") return sign;
  if (next === "\\") return escaped(reader);
  if ("^$*+?{".includes(next)) throw unsupported();
  return plain(next);
}

function group(reader: Reader): Node {
  if (reader.text[reader.at] === "?") {
    const [mark] = /^\?(?::|<[A-Za-z]\w*>)/.exec(reader.text.slice(reader.at)) ?? [];
    if (mark === undefined) throw unsupported();
    reader.at += mark.length;
  }
  const inside = alternatives(reader);
  if (reader.text[reader.at++] !== ")") throw unsupported();
  return inside;
}

const CLASSES: Record<string, ByteSet> = {
  d: bytes([0x30, 0x39]),
  w: bytes([0x30, 0x39], [0x41, 0x5a], 0x5f, [0x61, 0x7a]),
  s: bytes(0x20),
};
const CONTROLS: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

function escaped(reader: Reader): Node {
  const letter = reader.text[reader.at++] ?? "";
  const lower = letter.toLowerCase();
  const known = CLASSES[lower];
  if (known) return letter === lower ? inJson(known, false) : inJson(inverse(known), true);
  const control = CONTROLS[letter];
  if (control !== undefined) return plain(control);
  if (/[\w]/.test(letter)) throw unsupported();
  return plain(letter);
}

/** Signs of ASCII only; what is excluded lets everything beyond ASCII in. */
function classOf(reader: Reader): Node {
  const isExcluding = reader.text[reader.at] === "^";
  if (isExcluding) reader.at++;
  let set = bytes();
  for (;;) {
    const next = reader.text[reader.at++];
    if (next === undefined) throw unsupported();
    if (next === "]") break;
    const known = next === "\\" ? CLASSES[reader.text[reader.at] ?? ""] : undefined;
    if (known) {
      reader.at++;
      set = union(set, known);
      continue;
    }
    const from = next === "\\" ? escapedSign(reader) : next;
    const [, to] = /^-([^\]\\])/.exec(reader.text.slice(reader.at)) ?? [];
    if (to !== undefined) reader.at += 2;
    const [first, last] = [from.charCodeAt(0), (to ?? from).charCodeAt(0)];
    if (first > 0x7f || last > 0x7f) throw unsupported();
    set = union(set, bytes([first, last]));
  }
  return isExcluding ? inJson(inverse(set), true) : inJson(set, false);
}

function escapedSign(reader: Reader): string {
  const letter = reader.text[reader.at++] ?? "";
  const control = CONTROLS[letter];
  if (control !== undefined) return control;
  if (/\w/.test(letter)) throw unsupported();
  return letter;
}

const union = (a: ByteSet, b: ByteSet) => a.map((word, at) => word | (b[at] ?? 0));
/** Of the printable signs of ASCII. */
const inverse = (set: ByteSet) => bytes([0x20, 0x7e]).map((word, at) => word & ~(set[at] ?? 0));

/** A sign as a string in JSON has it. */
const plain = (text: string) => literal(JSON.stringify(text).slice(1, -1));

function inJson(set: ByteSet, withBeyond: boolean): Node {
  const special = ['"', "\\", "\n", "\r", "\t"].filter((each) => hasByte(set, each.charCodeAt(0)));
  const direct = inverse(bytes(0x22, 0x5c)).map((word, at) => word & (set[at] ?? 0));
  return choice(byteIn(direct), ...special.map(plain), ...(withBeyond ? [beyondAscii] : []));
}
