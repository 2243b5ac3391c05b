// A caller's marks for its costs, `name=value,name=value`, checked as fal checks them (fal-protocol.md 2.4).
import { ForecourtError } from "../../core/errors.ts";

export const TAGS = "x-fal-tags";

const MOST = 10;
const LONGEST_VALUE = 256;
const LONGEST = 1024;
const NAME = /^[a-z0-9._-]{1,64}$/;

/** By name. Throws `bad_request` that says which rule is broken. */
export function tagsOf(header: string): Record<string, string> {
  if (Buffer.byteLength(header) > LONGEST) throw wrong(`at most ${LONGEST} bytes long`);
  const pairs = header
    .split(",")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "");
  if (pairs.length > MOST) throw wrong(`at most ${MOST} pairs`);
  const tags = new Map<string, string>();
  for (const pair of pairs) {
    const [name, value] = split(pair);
    if (!NAME.test(name)) throw wrong(`pairs name=value whose names are 1 to 64 of a-z 0-9 . _ -, not ${quoted(name)}`);
    if (name.startsWith("fal.")) throw wrong("without names that begin with fal., which are reserved");
    if (value.length > LONGEST_VALUE) throw wrong(`of values up to ${LONGEST_VALUE} characters`);
    if (tags.has(name)) throw wrong(`of different names; ${quoted(name)} is there twice`);
    tags.set(name, value);
  }
  return Object.fromEntries(tags);
}

function split(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 0) throw wrong(`pairs name=value, not ${quoted(pair)}`);
  return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 80));
const wrong = (rule: string) => new ForecourtError("bad_request", `X-Fal-Tags should be ${rule}.`);
