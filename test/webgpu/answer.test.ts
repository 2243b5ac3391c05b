// A language model on WebGPU: what it has read stays on the device, and its answers are the CPU's.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { casesOf, type Family } from "../engine/support/language.ts";
import { hasSwiftShader, withDriver } from "./swift-shader.ts";

async function answer(family: Family) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "answer.ts"), family], {
    env: { ...process.env, ...withDriver() },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, complaints] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  expect({ code, complaints: code === 0 ? "" : complaints }).toEqual({ code: 0, complaints: "" });
  return JSON.parse(text);
}

for (const family of ["llama", "qwen3"] as const) {
  test.skipIf(!hasSwiftShader)(
    `${family}: several answers at a time are Python's token for token, and no key or value is left behind`,
    async () => {
      const { texts, again, held, released } = await answer(family);
      const wanted = casesOf(family).answers;
      expect(texts).toEqual(wanted.map(({ text }) => text));
      expect(wanted[0]?.text.startsWith(again)).toBe(true);
      // Conversations that may go on are kept: of each the tensors of its last step.
      const kept = (wanted.length + 1) * 4;
      expect(held).toBeGreaterThan(20 * kept);
      expect(held - released).toBeLessThanOrEqual(kept);
      expect(held - released).toBeGreaterThan(0);
    },
    600_000,
  );
}
