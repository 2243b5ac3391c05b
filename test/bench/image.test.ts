// The comparison of bench:image in small: all three run the same graph, and both loops come to the same latents.
import { expect, setDefaultTimeout, test } from "bun:test";
import { compare } from "./image/compare.ts";
import { hasDiffusers } from "./image/models.ts";

/** Torch alone takes its time to be read where others want the disk too. */
setDefaultTimeout(600_000);

const python = "python3";

test.skipIf(!hasDiffusers(python))("bench:image in small: the same latents, and all steps are timed", async () => {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const result = await compare({ shape: "tiny", side: 16, threads: 1, steps: 3, rounds: 2, python, say });
  if ("missing" in result) throw new Error(result.missing);
  // Models for another sampler, prompt or guidance would lead elsewhere; the last bits are onnxruntime's two versions'.
  expect(result.distance).toBeLessThan(1e-2);
  for (const { stepSeconds } of Object.values(result.engines)) expect(stepSeconds).toBeGreaterThan(0);
  expect(result.engines["session.run"].loopShare).toBe(0);
  expect(result.engines.forecourt.loopShare).toBeGreaterThan(0);
  expect(Object.values(result.ratios).every(({ clock, cpu }) => clock > 0 && cpu > 0)).toBe(true);
  expect(said.filter((line) => line.endsWith(" s"))).toHaveLength(6);
});
