import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadClipTokenizer } from "../../../src/engine/text/tokenizer.ts";
import { openFolder } from "../support/load.ts";
import { sharedFile } from "../support/shared.ts";

const ROOT = join(import.meta.dir, "../../..");
const scratch = mkdtempSync(join(tmpdir(), "forecourt-tokenizer-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const load = (folder: string) => loadClipTokenizer(openFolder(folder), "");

describe("a CLIP tokenizer without merges", async () => {
  const files = join(import.meta.dir, "../tiny/optimum/tokenizer");
  const tokenizer = await load(files);
  const [START, END] = [512, 513];
  const vocab: Record<string, number> = JSON.parse(readFileSync(join(files, "vocab.json"), "utf8"));
  const ids = (...tokens: string[]) => [START, ...tokens.map((token) => vocab[token] ?? -1), END];
  const encode = (text: string) => tokenizer.encode(text).ids;

  test("marks the end of each word and lowercases", () => {
    expect(encode("Hi  you\n")).toEqual(ids("h", "i</w>", "y", "o", "u</w>"));
  });

  test("splits digits, signs and English endings off", () => {
    expect(encode("it's 12!!")).toEqual(ids("i", "t</w>", "'", "s</w>", "1</w>", "2</w>", "!", "!</w>"));
  });

  test("composes accents before it looks at bytes", () => {
    expect(encode("e\u0301")).toEqual(encode("é"));
    expect(encode("é")).toEqual(ids("Ã", "©</w>"));
  });

  test("lowercases a capital sigma by itself, wherever it stands", () => {
    expect(encode("ΣΑΣ")).toEqual(encode("σασ"));
  });

  test("takes U+FEFF for a sign, not for white space", () => {
    const [, ...word] = encode("\u200b\ufeff").slice(0, -1);
    expect(word).toHaveLength(6);
    const endsWord = word.map((id) => id >= 256);
    expect(endsWord).toEqual([false, false, false, false, false, true]);
  });

  test("gives an empty text its two marks", () => {
    expect(tokenizer.encode(" \t\n")).toEqual({ ids: [START, END], dropped: 0 });
  });

  test("cuts a long text, keeps the end mark and says how much it cut", () => {
    const { ids: cut, dropped } = tokenizer.encode("a ".repeat(100));
    expect(cut).toHaveLength(77);
    expect(cut.at(-1)).toBe(END);
    expect(dropped).toBe(25);
  });

  test("pads with the padding token of its files", async () => {
    expect(tokenizer.pad([START, END], 5)).toEqual([START, END, END, END, END]);
    const folder = join(scratch, "pads-with-sign");
    cpSync(files, folder, { recursive: true });
    writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ pad_token: "!", model_max_length: 8 }));
    const other = await load(folder);
    expect(other.maxLength).toBe(8);
    expect(other.pad([START, END], 4)).toEqual([START, END, vocab["!"] ?? -1, vocab["!"] ?? -1]);
    // As in transformers a padding token is special, also inside the text.
    expect(other.encode("a!").ids).toEqual(ids("a</w>", "!"));
  });

  test("without its files is missing weights", async () => {
    await expect(load(join(scratch, "nowhere"))).rejects.toMatchObject({ code: "weights_missing" });
  });
});

type Reference = { about: { pad_id: number }; cases: { text: string; ids: number[]; padded?: number[] }[] };

/** Both files hold what Python's CLIPTokenizer gives, made by test/reference/tokenizer_cases.py. */
function compareWith(name: string, prepare: (folder: string) => void) {
  const path = join(ROOT, `test/reference/tokenizer/${name}.json`);
  if (!existsSync(path)) return test.skip(`Python's ids for ${name} are not there`, () => {});
  const { about, cases }: Reference = JSON.parse(readFileSync(path, "utf8"));
  describe(`the tokenizer on the vocabulary ${name} gives Python's ids`, async () => {
    const folder = mkdtempSync(join(scratch, `${name}-`));
    prepare(folder);
    const tokenizer = await load(folder);
    for (const { text, ids, padded } of cases) {
      test(JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text), () => {
        const given = tokenizer.encode(text);
        const missing = new Array(Math.max(0, 77 - ids.length)).fill(about.pad_id);
        expect(tokenizer.pad(given.ids, tokenizer.maxLength)).toEqual(padded ?? [...ids, ...missing]);
        expect(given.ids.length + given.dropped).toBe(ids.length);
      });
    }
  });
}

const demo = join(ROOT, "models/demo/diffusion/tokenizer");
if (!existsSync(join(demo, "vocab.json"))) test.skip("the demo vocabulary is not there yet", () => {});
else {
  compareWith("demo", (folder) => {
    for (const file of ["vocab.json", "merges.txt"]) cpSync(join(demo, file), join(folder, file));
  });
}

const bpe = sharedFile("weights/clip-bpe/bpe_simple_vocab_16e6.txt.gz");
if (!bpe) test.skip("the real CLIP vocabulary: ../shared is not there", () => {});
else compareWith("clip-bpe", (folder) => writeClipVocabulary(bpe, folder));

/** As OpenAI's simple_tokenizer.py reads its file: bytes, bytes at a word's end, merges, start and end. */
function writeClipVocabulary(file: string, folder: string) {
  const lines = new TextDecoder().decode(Bun.gunzipSync(readFileSync(file))).split("\n");
  const merges = lines.slice(1, 49152 - 256 - 2 + 1);
  const tiny = JSON.parse(readFileSync(join(import.meta.dir, "../tiny/optimum/tokenizer/vocab.json"), "utf8"));
  const bytes = Object.keys(tiny).slice(0, 512);
  const entries = [...bytes, ...merges.map((pair) => pair.replace(" ", "")), "<|startoftext|>", "<|endoftext|>"];
  writeFileSync(join(folder, "vocab.json"), JSON.stringify(Object.fromEntries(entries.map((entry, i) => [entry, i]))));
  writeFileSync(join(folder, "merges.txt"), `#version: 0.2\n${merges.join("\n")}\n`);
}
