// The whole server on WebGPU, through SwiftShader: the device passes its trial and the demo draws on it what the CPU draws.
import { expect, test } from "bun:test";
import { createCodec } from "../../src/engine/runner/codec.ts";
import { newFolder, forecourt as run } from "../cli/command.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { hasSwiftShader, withDriver } from "./swift-shader.ts";

/**
 * Measured on two idle cores: the first run of each graph makes its shaders in 2 to 8 s, a step takes 2 to 4 s and the
 * decoder 6 to 12 s, so two steps end within half a minute and on a busy machine within three.
 */
const input = { prompt: "a big red circle on a blue ground", seed: 3, num_inference_steps: 2, sync_mode: true };
const PATIENCE_MS = 420_000;

async function draw(server: LiveServer) {
  const response = await fetch(`${server.origin}/run/forecourt/demo-diffusion`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  const picture = await fetch(answer.images[0].url);
  const pixels = await createCodec().decode(new Uint8Array(await picture.arrayBuffer()));
  return { pixels, device: response.headers.get("x-forecourt-device") };
}

test.skipIf(!hasSwiftShader)(
  "a server on webgpu:0 draws the demo's picture within 3/255 of the CPU's, and says on which device",
  async () => {
    await using onCpu = await startServer();
    const expected = await draw(onCpu);
    expect(expected.device).toBe("cpu");
    await using onGpu = await startServer({ arguments: ["--device", "webgpu"], env: withDriver() });
    expect(onGpu.output()).toMatch(/webgpu:0.*device passed its test inference/);
    const { pixels, device } = await draw(onGpu);
    expect(device).toBe("webgpu:0");
    const largest = pixels.data.reduce(
      (most, value, at) => Math.max(most, Math.abs(value - (expected.pixels.data[at] ?? 0))),
      0,
    );
    const spread =
      expected.pixels.data.reduce((most, value) => Math.max(most, value), 0) - Math.min(...expected.pixels.data);
    expect(pixels.data.length).toBe(128 * 128 * 3);
    expect(spread).toBeGreaterThan(50);
    expect(largest).toBeLessThanOrEqual(3);
  },
  PATIENCE_MS + 60_000,
);

test.skipIf(!hasSwiftShader)(
  "doctor tries a software Vulkan that was asked for, and auto passes it by",
  async () => {
    const report = async (device: string) => {
      const { stdout } = await run(
        ["doctor", "--json", "--data", newFolder(), "--port", "0", "--device", device],
        withDriver(),
      );
      return JSON.parse(stdout);
    };
    const asked = await report("webgpu");
    expect(asked.devices[0]).toMatchObject({ id: "webgpu:0", isSoftware: true });
    expect(asked.trials).toMatchObject([{ device: "webgpu:0", isRemembered: false }]);
    expect((await report("auto")).trials).toEqual([]);
  },
  600_000,
);
