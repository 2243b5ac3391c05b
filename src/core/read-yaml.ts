// Files that people write in YAML. Bun's parser takes the last of two keys of one name, which YAML forbids: here it is an error.
import { YAML } from "bun";
import { isMapping } from "./unknown-fields.ts";

/** Throws an Error whose message says what is wrong with the text. */
export function readYaml(text: string): unknown {
  if (text.includes("\0")) throw new Error("it is not text in UTF-8; save it as that");
  const value: unknown = YAML.parse(text);
  expectSmall(value);
  const twice = findTwice(text);
  if (twice)
    throw new Error(`${twice.key} is there twice, in line ${[...twice.lines].join(" and line ")}; keep one of them`);
  return value;
}

/** Aliases make a short text stand for more than any memory holds, or for itself. */
const MOST_VALUES = 200_000;
const DEEPEST = 64;

function expectSmall(value: unknown): void {
  let count = 0;
  const visit = (inner: unknown, depth: number): void => {
    if (++count > MOST_VALUES)
      throw new Error(`its aliases stand for more than ${MOST_VALUES} values; write it without them`);
    if (typeof inner !== "object" || inner === null) return;
    if (depth >= DEEPEST) throw new Error(`it is nested more than ${DEEPEST} deep`);
    for (const each of Object.values(inner)) visit(each, depth + 1);
  };
  visit(value, 0);
}

/** A sign that nobody writes; behind a key, with the key's number, it makes it one of its own. */
const MARK = "\u2063";
/** What may be a key: quoted or plain words before a colon. Inside of a text it may be changed as well, which changes no key. */
const KEY =
  /(?<=^|[\s{,])(?:"[^"\\\n]*(?="[ \t]*:)|'[^'\n]*(?='[ \t]*:)|[^\s"'{}[\],#&*!|>%@`:?-][^\s{}[\],#:]*(?=[ \t]*:(?:\s|$)))/gm;

/** The text is read once more with a number behind each key, by which two of one name are still two. */
function findTwice(text: string): { key: string; lines: Set<number> } | undefined {
  // A mapping that takes over another's keys may give them anew.
  if (text.includes(MARK) || /<<\s*:/.test(text)) return undefined;
  const places: number[] = [];
  const marked = text.replace(KEY, (key, at: number) => `${key}${MARK}${places.push(at) - 1}${MARK}`);
  const found = twiceIn(YAML.parse(marked), new Set());
  const lineOf = (key: string) => text.slice(0, places[Number(key.split(MARK)[1])]).split("\n").length;
  return found && { key: nameOf(found[0]), lines: new Set(found.map(lineOf)) };
}

const nameOf = (key: string) => key.split(MARK)[0] ?? "";

/** `seen`: what aliases stand for is there several times. */
function twiceIn(value: unknown, seen: Set<unknown>): [string, string] | undefined {
  if ((!isMapping(value) && !Array.isArray(value)) || seen.has(value)) return undefined;
  seen.add(value);
  const byName = new Map<string, string>();
  for (const [key, inner] of Object.entries(value)) {
    const earlier = byName.get(nameOf(key));
    if (earlier !== undefined) return [earlier, key];
    byName.set(nameOf(key), key);
    const found = twiceIn(inner, seen);
    if (found) return found;
  }
  return undefined;
}
