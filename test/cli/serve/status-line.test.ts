// The line that `systemctl status` shows of a server.
import { expect, test } from "bun:test";
import { type ServerFacts, statusLine } from "../../../src/cli/serve/status-line.ts";
import { asId, type DeviceId, type ModelId } from "../../../src/core/ids.ts";

const device = (id: string) => asId<DeviceId>(id);
const lineOf = (facts: Partial<ServerFacts>) =>
  statusLine({
    models: 57,
    loaded: 2,
    device: device("cuda:0"),
    lost: [],
    failed: [],
    wrongFiles: 0,
    downloads: [],
    ...facts,
  });

test("a box where all is well", () => {
  expect(lineOf({})).toBe("Ready: 57 models, 2 loaded, best device cuda:0");
});

test("what is wrong comes first", () => {
  const failed = [asId<ModelId>("black-forest-labs/flux")];
  expect(lineOf({ lost: [device("cuda:0")], failed })).toBe(
    "Degraded: cuda:0 is lost, the last runner of black-forest-labs/flux failed; 57 models, 2 loaded, best device cuda:0",
  );
});

test("wrong model files are counted", () => {
  expect(lineOf({ wrongFiles: 2 })).toStartWith("Degraded: wrong model files: 2; 57 models");
});

test("downloads with how far they are, the first of many", () => {
  const downloads = ["a/a", "b/b", "c/c", "d/d", "e/e"].map((model, at) => ({ model, at: at * 10, of: at * 40 }));
  expect(lineOf({ downloads })).toBe(
    "Ready: 57 models, 2 loaded, best device cuda:0; downloading a/a, b/b (25 %), c/c (25 %) and 2 more",
  );
});
