// Words of any length have the tokens that the reference library, Python's tokenizers, makes of them, and take no longer than as much text.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDescription } from "../../../src/engine/text/tokenizer.ts";
import { pythonWith } from "../../support/python-venv.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const ROOT = join(import.meta.dir, "../../..");
const folder = mkdtempSync(join(tmpdir(), "forecourt-words-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bytes for letters; marks at the ends of words; no words at all, so that a whole prompt is one. */
const TOKENIZERS = [
  "models/demo/llama/tokenizer.json",
  "models/demo/clip/tokenizer.json",
  "test/reference/language/gemma3/tokenizer.json",
  "test/reference/language/phi3/tokenizer.json",
];

const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8")) as object;
const idsOf = (file: string) => {
  const library = openDescription({ description: read(file), config: {}, name: file });
  return (text: string) => library.encode(text, { add_special_tokens: false }).ids;
};

const random = seededRandom(7);
const LETTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFZéñßж日本🔥👍🏽\u0301"];
const wordOf = (length: number, letters: readonly string[]) =>
  Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");

const WORDS = [
  ...[255, 256, 257, 1000, 5000].flatMap((length) => [
    "a".repeat(length),
    wordOf(length, LETTERS),
    wordOf(length, ["a", "b"]),
    wordOf(length, ["red", "circle", "the", "ing"]),
  ]),
  `short words, then ${"longer".repeat(100)} and 12345 more ${"日本".repeat(300)}!`,
  wordOf(200_000, LETTERS),
];

const python = pythonWith("tokenizers==0.23.3");

describe.skipIf(python === undefined)("as in Python's tokenizers", () => {
  for (const file of TOKENIZERS)
    test(file, async () => {
      const script = `
import json, sys
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
print(json.dumps([tokenizer.encode(word, add_special_tokens=False).ids for word in json.load(open(sys.argv[2]))]))`;
      const words = join(folder, "words.json");
      writeFileSync(words, JSON.stringify(WORDS));
      const child = Bun.spawn([join(python ?? "", "python"), "-c", script, join(ROOT, file), words], {
        stdout: "pipe",
      });
      const expected = (await new Response(child.stdout).json()) as number[][];
      const ids = idsOf(file);
      for (const [at, word] of WORDS.entries()) expect(ids(word)).toEqual(expected[at] ?? []);
    });
});

test("the longest word that a model reads takes no more time than as much text of short ones", () => {
  const ids = idsOf("models/demo/llama/tokenizer.json");
  const time = (text: string) => {
    const before = process.cpuUsage();
    const { length } = ids(text);
    return { length, ms: process.cpuUsage(before).user / 1000 };
  };
  time("red circle ".repeat(1000));
  const short = time("a big red circle ".repeat(40_000));
  const long = time("redcircle".repeat(75_000));
  // Both fill a context of 128k; by an object and a text for each pair the long one took twelve times as long as the short ones.
  expect(Math.min(short.length, long.length)).toBeGreaterThan(128_000);
  expect(long.ms / short.ms).toBeLessThan(5);
});
