// The WebGPU provider without a GPU: SwiftShader, a Vulkan driver in software that Debian's chromium carries.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { hasSwiftShader, withDriver } from "./swift-shader.ts";

async function run(driver?: string) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "draw.ts")], {
    env: { ...process.env, ...withDriver(driver) },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, complaints] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { text, complaints, code: await child.exited };
}

test.skipIf(!hasSwiftShader)(
  "a picture drawn on WebGPU is within 3/255 of the CPU's",
  async () => {
    const { text, complaints, code } = await run();
    expect({ code, complaints: code === 0 ? "" : complaints }).toEqual({ code: 0, complaints: "" });
    const { largest, spread, pixels } = JSON.parse(text);
    expect(pixels).toBe(64 * 64 * 3);
    expect(spread).toBeGreaterThan(10);
    expect(largest).toBeLessThanOrEqual(3);
  },
  600_000,
);

test.skipIf(!hasSwiftShader)(
  "without a Vulkan driver WebGPU fails, it does not become the CPU",
  async () => {
    const { text, complaints, code } = await run("/nonexistent/driver.json");
    expect(text).toBe("");
    expect(code).not.toBe(0);
    expect(complaints).toMatch(/cannot load .*model\.onnx/);
  },
  600_000,
);
