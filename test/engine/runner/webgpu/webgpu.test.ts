// The WebGPU provider without a GPU: SwiftShader, a Vulkan driver in software that Debian's chromium carries.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LOADERS = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib/aarch64-linux-gnu/libvulkan.so.1"];
const canRun = existsSync(DRIVER) && LOADERS.some((path) => existsSync(path));

async function run(driver: string) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "draw.ts")], {
    // ORT's own look for a driver must find this one only, whatever the machine has.
    env: { ...process.env, VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, complaints] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { text, complaints, code: await child.exited };
}

test.skipIf(!canRun)(
  "a picture drawn on WebGPU is within 3/255 of the CPU's",
  async () => {
    const { text, complaints, code } = await run(DRIVER);
    expect({ code, complaints: code === 0 ? "" : complaints }).toEqual({ code: 0, complaints: "" });
    const { largest, spread, pixels } = JSON.parse(text);
    expect(pixels).toBe(64 * 64 * 3);
    expect(spread).toBeGreaterThan(10);
    expect(largest).toBeLessThanOrEqual(3);
  },
  240_000,
);

test.skipIf(!canRun)(
  "without a Vulkan driver WebGPU fails, it does not become the CPU",
  async () => {
    const { text, complaints, code } = await run("/nonexistent/driver.json");
    expect(text).toBe("");
    expect(code).not.toBe(0);
    expect(complaints).toMatch(/cannot load .*model\.onnx/);
  },
  120_000,
);
