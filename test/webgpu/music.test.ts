// MusicGen on WebGPU: what was written stays on the device, and the codes are the CPU's.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasSwiftShader, withDriver } from "./swift-shader.ts";

const cases: { sampling?: object; codes: number[][] }[] = JSON.parse(
  readFileSync(join(import.meta.dir, "../reference/music/musicgen/cases.json"), "utf8"),
);

test.skipIf(!hasSwiftShader)(
  "codes are Python's, keys and values stay on the device, and none is left behind",
  async () => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "compose.ts")], {
      env: { ...process.env, ...withDriver() },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [text, complaints] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    const code = await child.exited;
    expect({ code, complaints: code === 0 ? "" : complaints }).toEqual({ code: 0, complaints: "" });
    const { written, held, released } = JSON.parse(text);
    expect(written).toEqual(cases.flatMap(({ codes, sampling }) => (sampling ? [] : [codes])));
    // Two layers: keys and values of the music and of the text, at each of 33 and more steps.
    expect(held).toBeGreaterThan(33 * 8);
    expect(released).toBe(held);
  },
  600_000,
);
