// Texts that are certainly longer than so many tokens: never one that has fewer, and soon said of what is far longer.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type LanguageTokenizer, loadLanguageTokenizer } from "../../../src/engine/text/language-tokenizer.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const ROOT = join(import.meta.dir, "../../..");
const FILES = [
  "models/demo/llama",
  ...["llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi", "phi3"].map((name) => `test/reference/language/${name}`),
];
type Description = { added_tokens: Record<string, unknown>[]; [field: string]: unknown };

const read = (folder: string): Description => JSON.parse(readFileSync(join(ROOT, folder, "tokenizer.json"), "utf8"));
const open = async (description: object): Promise<LanguageTokenizer> =>
  await loadLanguageTokenizer({ json: async () => description, has: () => true } as never, {} as never);

/** Of what tokens are made of and torn apart by: words, blanks, marks and pieces of them, signs that compose, lone halves. */
function pieces(random: () => number, marks: readonly string[]): string {
  const one = (all: readonly string[]) => all[Math.floor(random() * all.length)] ?? "";
  const kinds = [
    () =>
      one(["The ", "circle", " is", " red", "A", "thermodynamics", "don't", "1234567", "_", "…", "日本語", "ß", "é"]),
    () => one([" ", "\n", "\t", "\u00a0", "\u0085", "\u2003", "\r\n"]).repeat(1 + Math.floor(random() * 12)),
    () =>
      one([
        "e\u0301",
        ">\u0338",
        "\u1100\u1161\u11a8",
        "\u212b",
        "\u0344",
        "👩‍👩‍👧",
        "🇨🇭",
        "\ud800",
        "\ufdd0",
        "\ufdd1",
      ]),
    () => one(["a", "=", "-", "ab", ".", "語"]).repeat(1 + Math.floor(random() * 40)),
    () => one(marks),
    () => one(marks).slice(0, 1 + Math.floor(random() * 5)),
  ];
  return Array.from(
    { length: Math.floor(random() * 30) },
    () => kinds[Math.floor(random() * kinds.length)]?.() ?? "",
  ).join("");
}

/** As given, and with what other tokenizers of the same kinds have. */
const variants: Record<string, (description: Description) => Description> = {
  "as it is": (description) => description,
  "composing signs": (description) => ({ ...description, normalizer: { type: "NFC" } }),
  "marks that take blanks with them": (description) => ({
    ...description,
    added_tokens: description.added_tokens.map((each, at) => ({ ...each, lstrip: at % 2 === 0, rstrip: at % 3 !== 1 })),
  }),
};

for (const folder of FILES)
  for (const [name, change] of Object.entries(variants))
    test(`${folder}, ${name}: no text is said to have more tokens than it has`, async () => {
      const description = read(folder);
      if (name === "composing signs" && description.normalizer) return;
      const tokenizer = await open(change(description));
      const marks = description.added_tokens.map(({ content }) => String(content));
      const random = seededRandom(folder.length);
      let [said, all] = [0, 0];
      for (let round = 0; round < 300; round++) {
        const given = pieces(random, marks);
        const text = random() < 0.3 ? `${marks[0]}${tokenizer.quoted(given)}${marks[1]}` : given;
        const { length } = tokenizer.encode(text);
        expect([text, tokenizer.hasAtLeast(text, length + 1)]).toEqual([text, false]);
        all++;
        if (length > 0 && tokenizer.hasAtLeast(text, Math.ceil(length / 8))) said++;
      }
      // It is of use too: few tokens are as long as the longest that begin as they do.
      expect(said).toBeGreaterThan(0.7 * all);
    });

test("of ten million letters it is said in no time that they are more than a model reads", async () => {
  for (const folder of FILES) {
    const tokenizer = await open(read(folder));
    for (const text of ["The circle is red. ", "a", " ", "日本語", "e\u0301"]) {
      const long = text.repeat(10_000_000 / text.length);
      expect(tokenizer.hasAtLeast(long, 2048)).toBe(true);
    }
  }
});

test("where something of a text may be left out, nothing is said", async () => {
  const whole = read("test/reference/language/llama");
  const { pre_tokenizer, model, ...rest } = whole as Description & { pre_tokenizer: object; model: { vocab: object } };
  const removing = { type: "Split", pattern: { String: "a" }, behavior: "Removed", invert: false };
  const split = { type: "Sequence", pretokenizers: [removing, pre_tokenizer] };
  const [byte = ""] = Object.keys(model.vocab).filter((name) => name.length === 1);
  const fewer = Object.fromEntries(Object.entries(model.vocab).filter(([name]) => name !== byte));
  const long = "b".repeat(100_000);
  expect((await open(whole)).hasAtLeast(long, 10)).toBe(true);
  expect((await open({ ...rest, model, pre_tokenizer: split })).hasAtLeast(long, 10)).toBe(false);
  expect((await open({ ...whole, normalizer: { type: "Strip" } })).hasAtLeast(long, 10)).toBe(false);
  expect((await open({ ...whole, model: { ...model, vocab: fewer, merges: [] } })).hasAtLeast(long, 10)).toBe(false);
});
