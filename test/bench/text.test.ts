// The comparison of bench:text in small: both engines answer, from the same weights.
import { expect, setDefaultTimeout, test } from "bun:test";
import { compare } from "./text/compare.ts";
import { installedLlama } from "./text/llama-engine.ts";
import { madeModels } from "./text/models.ts";

/** Packages are fetched at the first time; llama.cpp's threads wait for each other badly where others want the cores too. */
setDefaultTimeout(600_000);

const isHere = installedLlama() !== undefined && madeModels("tiny") !== undefined;

test.skipIf(!isHere)("bench:text in small: both engines answer, much the same, and are timed", async () => {
  const said: string[] = [];
  const result = await compare({
    shape: "tiny",
    threads: 1,
    clients: [1, 2],
    promptTokens: 16,
    answerTokens: 6,
    rounds: 1,
    say: (text) => said.push(text),
  });
  if ("missing" in result) throw new Error(result.missing);
  expect(Object.keys(result.engines)).toEqual(["forecourt", "node-llama-cpp"]);
  for (const { figures } of Object.values(result.engines)) {
    expect(figures.map(({ clients }) => clients)).toEqual([1, 2]);
    for (const { firstTokenMs, tokensPerSecond, tokensPerSecondEach, cpuSeconds } of figures) {
      expect(firstTokenMs).toBeGreaterThan(0);
      expect(tokensPerSecond).toBeGreaterThan(0);
      expect(tokensPerSecondEach).toBeGreaterThan(0);
      expect(cpuSeconds).toBeGreaterThanOrEqual(0);
    }
  }
  expect(said.filter((line) => line.includes("tokens/s"))).toHaveLength(4);
  // The same weights in two formats: were one written wrong, no word would be the same.
  expect(result.alike).toBeGreaterThan(0.6);
});
