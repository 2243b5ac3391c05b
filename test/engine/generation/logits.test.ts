// What is left of a model's scores, against transformers' logits processors; and what is taken of it.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argmax, candidates, highest, logSumExp, penalize } from "../../../src/engine/generation/logits.ts";
import { createSampler, type Sampling } from "../../../src/engine/generation/sample.ts";

type Case = {
  options: { temperature?: number; top_k?: number; top_p?: number; min_p?: number; repetition_penalty?: number };
  said: number[];
  scores: number[];
  shares: number[];
};
const cases: Case[] = JSON.parse(readFileSync(join(import.meta.dir, "../../reference/language/sampling.json"), "utf8"));
const usual: Sampling = {
  ...{ bias: new Map(), repetition: 1, presence: 0, frequency: 0 },
  ...{ temperature: 1, topK: 0, topP: 1, minP: 0, seed: 1 },
};

for (const { options, said, scores, shares } of cases) {
  test(`${JSON.stringify(options)} leaves the shares that transformers leaves`, () => {
    const logits = Float32Array.from(scores);
    const penalties = { ...usual, repetition: options.repetition_penalty ?? 1 };
    penalize(logits, penalties, { tokens: new Set(said), counts: new Map() });
    const left = candidates(logits, {
      temperature: options.temperature ?? 1,
      topK: options.top_k ?? 0,
      topP: options.top_p ?? 1,
      minP: options.min_p ?? 0,
    });
    const got = new Float64Array(scores.length);
    for (const [i, token] of left.tokens.entries()) got[token] = left.shares[i] ?? 0;
    for (const [token, share] of shares.entries()) expect(got[token]).toBeCloseTo(share, 6);
  });
}

test("presence is taken off once, frequency each time, bias is added, of the answer's tokens only", () => {
  const logits = Float32Array.of(1, 1, 1, 1);
  const counts = new Map([[1, 3]]);
  penalize(
    logits,
    { ...usual, presence: 0.5, frequency: 0.25, bias: new Map([[3, -100]]) },
    { tokens: new Set([0]), counts },
  );
  expect([...logits]).toEqual([1, -0.25, 1, -99]);
});

test("the same seed takes the same tokens, about as often as their shares say", () => {
  const logits = Float32Array.from([Math.log(0.5), Math.log(0.3), Math.log(0.2)]);
  const take = (seed: number) => {
    const sampler = createSampler({ ...usual, seed }, []);
    return Array.from({ length: 4000 }, () => sampler.next(logits).token);
  };
  expect(take(5)).toEqual(take(5));
  expect(take(5)).not.toEqual(take(6));
  for (const [token, share] of [0.5, 0.3, 0.2].entries())
    expect(take(7).filter((each) => each === token).length / 4000).toBeCloseTo(share, 1);
});

test("a mask leaves only what it allows, and the probabilities that are told stay the model's own", () => {
  const logits = Float32Array.of(5, 4, 3);
  const sampler = createSampler({ ...usual, temperature: 0, topLogprobs: 2 }, []);
  const { token, logprob, top } = sampler.next(logits, {
    allows: (each) => each === 2,
    mask: () => Uint32Array.of(0b100),
  });
  expect(token).toBe(2);
  const all = logSumExp(logits);
  expect(logprob).toBeCloseTo(3 - all, 5);
  expect(top?.map((each) => each.token)).toEqual([0, 1]);
  expect([...logits]).toEqual([5, 4, 3]);
});

test("of equal scores the first is the likeliest, and the highest are told in order", () => {
  expect(argmax(Float32Array.of(1, 3, 3))).toBe(1);
  expect(highest(Float32Array.of(1, 9, 4, 9, 7), 3)).toEqual([1, 3, 4]);
});
