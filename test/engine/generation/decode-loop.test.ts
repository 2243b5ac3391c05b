// Several answers in one loop: each is what it would be alone, whoever joins and leaves beside it.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDecodeLoop, type DecodeLoopParts } from "../../../src/engine/generation/decode-loop.ts";
import { type Decoder, loadDecoder } from "../../../src/engine/generation/decoder.ts";
import { argmax } from "../../../src/engine/generation/logits.ts";
import { paddingOf } from "../../../src/engine/generation/padding-probe.ts";
import { createPrefixes } from "../../../src/engine/generation/prefixes.ts";
import { casesOf, FAMILIES, type Family, openFamily } from "../support/language.ts";

setDefaultTimeout(60_000);

const never = new AbortController().signal;

/** Notes how many rows each step had. */
function watched(decoder: Decoder) {
  const steps: number[] = [];
  const forward: Decoder["forward"] = async (step) => {
    steps.push(step.tokens.length);
    return await decoder.forward(step);
  };
  return { steps, decoder: { ...decoder, forward } };
}

function loopOf(decoder: Decoder, more: Partial<DecodeLoopParts> = {}) {
  const prefixes = createPrefixes({ shape: decoder.kv, bytes: 0 });
  return createDecodeLoop({ decoder, padding: "before", prefixes, ...more });
}

type Ask = { prompt: number[]; count: number; onToken?(at: number): void; signal?: AbortSignal };

async function greedy(
  loop: ReturnType<typeof loopOf>,
  { prompt, count, onToken, signal = never }: Ask,
): Promise<number[]> {
  const tokens: number[] = [];
  const next = (logits: Float32Array) => {
    tokens.push(argmax(logits));
    onToken?.(tokens.length);
    return tokens.length < count ? tokens.at(-1) : undefined;
  };
  await loop.run({ prompt, next }, { signal });
  return tokens;
}

for (const family of FAMILIES.filter((each) => each !== "without-positions")) {
  test(`${family}: answers of prompts of different lengths, begun at different times, are the ones of Python`, async () => {
    const { steps, decoder } = watched(await loadDecoder(openFamily(family)));
    const loop = loopOf(decoder, { padding: await paddingOf(decoder) });
    const { answers } = casesOf(family);
    const begun: Promise<number[]>[] = [];
    const begin = (at: number): void => {
      const answer = answers[at];
      if (!answer) return;
      begun.push(
        greedy(loop, {
          prompt: answer.ids,
          count: answer.new.length,
          onToken: (count) => count === 2 && begin(at + 1),
        }),
      );
    };
    begin(0);
    for (let at = 0; at < answers.length; at++) expect(await begun[at]).toEqual(answers[at]?.new ?? []);
    expect(Math.max(...steps)).toBeGreaterThan(1);
  });
}

describe("a graph that keeps no rows apart", () => {
  test("is found out by trying it, and so is where padding may lie", async () => {
    const found = async (family: Family) => await paddingOf(await loadDecoder(openFamily(family)));
    for (const family of ["llama", "gemma3", "phi"] as const) expect(await found(family)).toBe("before");
    expect(await found("grouped-attention")).toBe("behind");
    expect(await found("without-positions")).toBeUndefined();
  });

  test("is found out although it takes positions, when it does not mind the mask or fails", async () => {
    const decoder = await loadDecoder(openFamily("llama"));
    const unmasked: Decoder = {
      ...decoder,
      forward: ({ tokens, cache }) =>
        decoder.forward({ tokens, cache: { ...cache, rows: cache.rows.map(() => cache.length) } }),
    };
    const single: Decoder = {
      ...decoder,
      forward: async (step) => {
        if (step.tokens.length > 1) throw new Error("one row only");
        return await decoder.forward(step);
      },
    };
    expect(await paddingOf(unmasked)).toBeUndefined();
    expect(await paddingOf(single)).toBeUndefined();
  });

  test("reads its answers in turn", async () => {
    const { steps, decoder } = watched(await loadDecoder(openFamily("without-positions")));
    const loop = loopOf(decoder, { padding: undefined });
    const { answers } = casesOf("without-positions");
    const all = await Promise.all(
      answers.map(({ ids, new: { length } }) => greedy(loop, { prompt: ids, count: length })),
    );
    expect(all).toEqual(answers.map((each) => each.new));
    expect(Math.max(...steps)).toBe(1);
  });
});

test("a long prompt is read in pieces, between which others get their tokens", async () => {
  const { steps, decoder } = watched(await loadDecoder(openFamily("qwen2")));
  const loop = loopOf(decoder);
  const order: string[] = [];
  const quick = greedy(loop, { prompt: [1, 2, 3], count: 40, onToken: () => order.push("quick") });
  const long = greedy(loop, {
    prompt: Array.from({ length: 700 }, (_, i) => i % 300),
    count: 1,
    onToken: () => order.push("long"),
  });
  await Promise.all([quick, long]);
  expect(order.indexOf("long")).toBeGreaterThan(1);
  expect(order.indexOf("long")).toBeLessThan(6);
  expect(steps).toContain(1);
});

test("one that is aborted leaves at once, one that fails leaves alone", async () => {
  const loop = loopOf(await loadDecoder(openFamily("llama")));
  const stop = new AbortController();
  const [answer] = casesOf("llama").answers;
  const wanted = answer?.new ?? [];
  const kept = greedy(loop, { prompt: answer?.ids ?? [], count: wanted.length });
  const left = greedy(loop, {
    prompt: [1, 2],
    count: 500,
    signal: stop.signal,
    onToken: (at) => at === 3 && stop.abort(new Error("left")),
  });
  const broken = loop.run(
    {
      prompt: [3],
      next: () => {
        throw new Error("broken");
      },
    },
    { signal: never },
  );
  const ends = await Promise.allSettled([left, broken]);
  expect(ends).toMatchObject([{ reason: { message: "left" } }, { reason: { message: "broken" } }]);
  expect(await kept).toEqual(wanted);
});
