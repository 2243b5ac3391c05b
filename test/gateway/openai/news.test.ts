// What is told of an answer that grows, step by step: all of it once, whichever steps were not seen.
import { expect, test } from "bun:test";
import { createNews } from "../../../src/gateway/openai/news.ts";

const scored = (...tokens: string[]) => tokens.map((token) => ({ token, logprob: -1, bytes: [], top_logprobs: [] }));
const tokensOf = ({ logprobs }: { logprobs: { token: string }[] }) => logprobs.map(({ token }) => token);
const step = (output: string, from: number, ...tokens: string[]) => ({
  ...{ output, logprobs: scored(...tokens), logprobs_from: from },
});

test("text comes as it grows, with the log probabilities of each step", () => {
  const news = createNews();
  const told = [step("a", 0, "a"), step("abc", 1, "b", "c")].map((seen) => news.of(seen));
  expect(told.map(({ text }) => text)).toEqual(["a", "bc"]);
  expect(told.map(tokensOf)).toEqual([["a"], ["b", "c"]]);
  expect(news.of({ output: "abcd", logprobs: scored("a", "b", "c", "d") })).toMatchObject({ text: "d" });
});

test("after a step that was not seen the whole answer tells the log probabilities that are missing", () => {
  const news = createNews();
  const told = [step("a", 0, "a"), step("abc", 2, "c")].map((seen) => news.of(seen));
  expect(told.map(tokensOf)).toEqual([["a"], []]);
  const last = news.of({ output: "abcd", logprobs: scored("a", "b", "c", "d") });
  expect([last.text, tokensOf(last)]).toEqual(["d", ["b", "c", "d"]]);
});

test("what a run tells that begins anew is not told twice", () => {
  const news = createNews();
  for (const seen of [step("a", 0, "a"), step("ab", 1, "b")]) news.of(seen);
  const again = [step("a", 0, "a"), step("abc", 1, "b", "c")].map((seen) => news.of(seen));
  expect(again.map(({ text }) => text)).toEqual(["", "c"]);
  expect(again.map(tokensOf)).toEqual([[], ["c"]]);
});
