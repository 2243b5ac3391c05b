import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { imageTextSimilarity } from "../../../src/engine/pipelines/image-text-similarity.ts";
import { casesOf, furthest, openFamily, picture, unit } from "../support/embedding.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

const assets = openFolder(join(import.meta.dir, "../tiny/clip"));

/** Wider than high: the left third black, the middle of one colour, the right third white. */
const COLOUR = [255, 51, 102] as const;
const striped: Pixels = {
  width: 24,
  height: 8,
  channels: 3,
  data: Uint8Array.from({ length: 24 * 8 * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % 24;
    return x < 8 ? 0 : x < 16 ? (COLOUR[i % 3] ?? 0) : 255;
  }),
};

const compare = (texts: string[], media: () => Promise<Uint8Array>, wishes: Record<string, unknown> = {}) =>
  runOnce(imageTextSimilarity.of({}), {
    assets,
    input: { image_url: "https://example.com/p.png", texts, ...wishes },
    media,
  });

/** The tiny model in closed form (test/engine/tiny/make.py). */
const wantedText = (letter: string) =>
  [0, 1, 2].map((column) => {
    const ids = [
      512,
      ...[...letter].map((each, i, all) => (i === all.length - 1 ? 256 : 0) + each.charCodeAt(0) - 33),
      513,
    ];
    return ids.reduce((sum, id) => sum + Math.sin(id + column), 0) / ids.length;
  });
const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

test("scores, logits and similarities are those of the middle of the picture, for texts of different lengths", async () => {
  const { output, units } = await compare(["a", "xyz"], () => assets.codec.encode(striped, "png"));
  const picture = COLOUR.map((value, i) => (value / 255 - 0.5) / ([0.25, 0.5, 1][i] ?? 1));
  const texts = ["a", "xyz"].map(wantedText);
  const logits = texts.map((text) => 10 * dot(picture, text));
  for (const [i, text] of texts.entries()) {
    expect(output.logits[i]).toBeCloseTo(logits[i] ?? Number.NaN, 4);
    const cosine = dot(picture, text) / Math.sqrt(dot(picture, picture) * dot(text, text));
    expect(output.similarities[i]).toBeCloseTo(cosine, 5);
  }
  expect((output.scores[0] ?? 0) + (output.scores[1] ?? 0)).toBeCloseTo(1, 9);
  expect(Math.log((output.scores[0] ?? 0) / (output.scores[1] ?? 0))).toBeCloseTo(
    (logits[0] ?? 0) - (logits[1] ?? 0),
    3,
  );
  expect(units).toEqual({ images: 1, texts: 2 });
});

test("names of kinds are read in a template, and come back with their shares, the likeliest first", async () => {
  const media = () => assets.codec.encode(striped, "png");
  const named = await compare(["a", "b", "c"], media, { template: "x{}z" });
  const whole = await compare(["xaz", "xbz", "xcz"], media);
  expect(named.output.scores).toEqual(whole.output.scores);
  expect(named.output.classes.map(({ label }) => label).toSorted()).toEqual(["a", "b", "c"]);
  for (const { label, score } of named.output.classes)
    expect(score).toBe(named.output.scores[["a", "b", "c"].indexOf(label)] ?? NaN);
  const shares = named.output.classes.map(({ score }) => score);
  expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  const failure = await compare(["a"], media, { template: "a picture" }).catch((error) => error);
  expect(failure).toMatchObject({ code: "invalid_input", problems: [{ loc: ["body", "template"] }] });
});

test("a text beyond the model's length is cut, and the log says so", async () => {
  const { log } = await compare(["a ".repeat(100)], () => assets.codec.encode(striped, "png"));
  expect(log).toEqual(["texts.0 is too long: 25 of 102 tokens are not read"]);
});

test("bytes that are not a picture are a problem of the field image_url", async () => {
  const failure = await compare(["a"], async () => Uint8Array.of(1, 2, 3)).catch((error) => error);
  expect(failure).toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "image_url"], type: "image_load_error" }],
  });
});

type SiglipCases = {
  texts: string[];
  text_embeds: number[][];
  pictures: string[];
  image_embeds: number[][];
  logits: number[][];
  probabilities: number[][];
};

/** Of the tiny ones' checkpoints (test/reference/embedding/siglip.py). */
const similarity = { logitScale: 3, logitBias: 5 };

describe("SigLIP", () => {
  for (const family of ["siglip", "siglip2"]) {
    const { texts, text_embeds, pictures, image_embeds, logits, probabilities } = casesOf<SiglipCases>(family);
    const whole = openFamily(family);
    const split = { ...whole, has: (path: string) => whole.has(path) && path !== "onnx/model.onnx" };
    const layouts = [
      ["one graph", whole, {}],
      ["two graphs", split, { similarity }],
    ] as const;

    for (const [layout, assets, declared] of layouts)
      test(`${family} in ${layout}: logits, probabilities and cosines of each pair are transformers'`, async () => {
        for (const [i, name] of pictures.entries()) {
          const { output, log } = await runOnce(imageTextSimilarity.of(declared), {
            assets,
            input: { image_url: name, texts },
            media: async () => picture(name),
          });
          expect(furthest([output.logits], [logits[i] ?? []])).toBeLessThan(1e-4);
          expect(furthest([output.scores], [probabilities[i] ?? []])).toBeLessThan(2e-5);
          const seen = unit(image_embeds[i] ?? []);
          const cosines = text_embeds.map((text) => dot(unit(text), seen));
          expect(furthest([output.similarities], [cosines])).toBeLessThan(1e-5);
          expect(output.scores.reduce((sum, each) => sum + each, 0)).not.toBeCloseTo(1, 1);
          const order = (probabilities[i] ?? []).map((score, at) => ({ score, at })).sort((a, b) => b.score - a.score);
          expect(output.classes.map(({ label }) => label)).toEqual(order.map(({ at }) => texts[at] ?? ""));
          expect(log).toEqual([expect.stringMatching(/^texts\.4 is too long: \d+ of \d+ tokens are not read$/)]);
        }
      });

    test(`${family} in two graphs: without a word on the scale the model file is told what to say`, async () => {
      const failure = await imageTextSimilarity
        .of({})
        .load(split)
        .catch((error) => error);
      expect(failure).toMatchObject({ code: "misconfigured" });
      expect(failure.message).toContain("similarity.logitScale");
    });
  }

  test("CLIP in two graphs has shares of one", async () => {
    const { texts, pictures } = casesOf<SiglipCases>("clip");
    const { output } = await runOnce(imageTextSimilarity.of({ similarity: { logitScale: 2, logitBias: 0 } }), {
      assets: openFamily("clip"),
      input: { image_url: "p", texts },
      media: async () => picture(pictures[0] ?? ""),
    });
    expect(output.scores.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 9);
    for (const [i, logit] of output.logits.entries())
      expect(logit).toBeCloseTo(Math.exp(2) * (output.similarities[i] ?? Number.NaN), 9);
  });
});
