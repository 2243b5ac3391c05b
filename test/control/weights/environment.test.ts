// What Hugging Face's own variables say about token, cache and endpoint.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { huggingFaceEnvironment } from "../../../src/control/weights/environment.ts";
import { scratch } from "./setting.ts";

test("a box that never saw Hugging Face's tools has no token and no cache", () => {
  expect(huggingFaceEnvironment({ env: {}, home: "/nonexistent" })).toEqual({ isOffline: false, caches: [] });
});

test("the token file and the cache are found below the home, HF_HOME or XDG_CACHE_HOME", () => {
  using home = scratch();
  const base = join(home.path, ".cache/huggingface");
  mkdirSync(join(base, "hub"), { recursive: true });
  writeFileSync(join(base, "token"), "hf_from_file\n");
  const found = { token: "hf_from_file", isOffline: false, caches: [join(base, "hub")] };
  expect(huggingFaceEnvironment({ env: {}, home: home.path })).toEqual(found);
  expect(huggingFaceEnvironment({ env: { HF_HOME: base }, home: "/nonexistent" })).toEqual(found);
  expect(huggingFaceEnvironment({ env: { XDG_CACHE_HOME: join(home.path, ".cache") }, home: "/nonexistent" })).toEqual(
    found,
  );
});

test("variables win over files", () => {
  using home = scratch();
  const env = { HF_TOKEN: "hf_env", HF_ENDPOINT: "https://mirror.test", HF_HUB_CACHE: home.path, HF_HUB_OFFLINE: "1" };
  expect(huggingFaceEnvironment({ env, home: home.path })).toEqual({
    endpoint: "https://mirror.test",
    token: "hf_env",
    isOffline: true,
    caches: [home.path],
  });
});
