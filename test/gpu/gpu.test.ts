// The script that measures devices, where there is none but the CPU: a small denoiser, and the absent kinds by name.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { buildUnet } from "./unet.ts";

test("the denoiser has as many parameters as Stable Diffusion 1.5's", () => {
  expect(buildUnet({ channels: 320, latent: 64 }).parameters).toBe(859_520_964);
});

test("it measures what is here, compares with the CPU, and says what is not run", async () => {
  const flags = ["--channels=32", "--latent=8", "--steps=2", "--cpu-steps=2"];
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts"), ...flags], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, complaints] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ code: await child.exited, complaints }).toEqual({ code: 0, complaints: "" });
  expect(text).toMatch(/^cpu .* s .* 0\.0e\+0 +0\/255$/m);
  for (const kind of ["cuda", "webgpu"]) expect(text).toMatch(new RegExp(`^${kind}(:0 | +NOT RUN HERE)`, "m"));
}, 240_000);
