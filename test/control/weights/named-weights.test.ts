import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openHub } from "../../../src/control/weights/access.ts";
import { createNamedWeights } from "../../../src/control/weights/named-weights.ts";
import { bytes, milliseconds } from "../../../src/core/units.ts";
import { createFakeHub, type FakeRepo, noise } from "../../support/fake-hub.ts";
import { testFolder } from "../../support/test-folder.ts";

const folder = testFolder("named");

const usual = "pytorch_lora_weights.safetensors";
const repos: Record<string, FakeRepo> = {
  "some/usual": { files: { "README.md": noise(9), "other.safetensors": noise(50, 2), [usual]: noise(80, 3) } },
  "some/one": { files: { "config.json": noise(9), "style/one.safetensors": noise(70, 4) } },
  "some/several": { files: { "a.safetensors": noise(10), "b.safetensors": noise(10) } },
  "some/none": { files: { "model.bin": noise(10) } },
  "some/large": { files: { "a.safetensors": noise(5000) } },
  "some/gated": { files: { "a.safetensors": noise(10) }, gated: true },
  "some/private": { files: { "a.safetensors": noise(10) }, private: true },
};
const token = "hf_secret";
const hub = createFakeHub({ repos, token });
afterAll(() => hub[Symbol.asyncDispose]());
const open = (more: object = {}) =>
  createNamedWeights({
    ...openHub({ endpoint: hub.endpoint, token, ...more }),
    ...{ maxBytes: bytes(1000), timeout: milliseconds(20_000) },
  });
const to = (name: string) => join(folder, name);
const signal = new AbortController().signal;

test("a repository's file of the usual name is taken, else its only one", async () => {
  await open()("some/usual", to("usual"), signal);
  expect(readFileSync(to("usual")).equals(noise(80, 3))).toBe(true);
  await open()("some/one", to("one"), signal);
  expect(readFileSync(to("one")).equals(noise(70, 4))).toBe(true);
});

test.each([
  ["some/several", "file_download_error", /several files of weights \(a.safetensors, b.safetensors\): give the URL/],
  ["some/none", "file_download_error", /has no .safetensors file/],
  ["some/large", "file_too_large", /larger than 1000 bytes/],
  ["some/gated", "file_download_error", /not open to everyone/],
  ["some/private", "file_download_error", /not open to everyone/],
  ["some/unknown", "file_download_error", /some\/unknown/],
])("%s is refused as %s, also to a box whose token would open it", async (repo, type, why) => {
  const failure = await open()(repo, to("refused"), signal).catch((error) => error);
  expect(failure).toMatchObject({ code: "file_download_error", problems: [{ type, msg: expect.stringMatching(why) }] });
});

test("a box that stays offline says so, and a caller who leaves ends it", async () => {
  const failure = await open({ isOffline: true })("some/one", to("offline"), signal).catch((error) => error);
  expect(failure.problems[0].msg).toContain("hub.offline is set");
  const gone = AbortSignal.abort(new Error("gone"));
  await expect(open()("some/one", to("gone"), gone)).rejects.toThrow("gone");
});
