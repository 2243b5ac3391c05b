// What people see of a download.
import { expect, test } from "bun:test";
import { createDownloadView } from "../../../src/cli/models/download-view.ts";
import type { PullEvent } from "../../../src/control/weights/progress.ts";

const MIB = 1024 * 1024;
const planned: PullEvent = {
  type: "planned",
  title: "owner/name",
  commits: ["c".repeat(40)],
  files: [
    { path: "unet/model.onnx", bytes: 100 * MIB },
    { path: "config.json", bytes: 0 },
  ],
  bytes: 100 * MIB,
};
const at = (mib: number): PullEvent => ({
  type: "file",
  path: "unet/model.onnx",
  state: "downloading",
  at: mib * MIB,
  of: 100 * MIB,
});

function watched(isTerminal: boolean) {
  const seen = { text: "", now: 0 };
  const write = (text: string) => {
    seen.text += text;
  };
  const screen = { isTerminal, columns: 100, write, now: () => seen.now };
  return { seen, view: createDownloadView("acme/tiny", screen) };
}

test("a terminal has a bar for each file under way and a line for all, and nothing in the end", () => {
  const { seen, view } = watched(true);
  seen.now = 100;
  view.take(planned);
  seen.now = 1100;
  view.take(at(50));
  expect(seen.text).toContain(
    `unet/model.onnx${" ".repeat(25)} [${"#".repeat(12)}${" ".repeat(12)}] 50 MiB of 100 MiB`,
  );
  expect(seen.text).toContain("acme/tiny: 50 %, 50 MiB of 100 MiB, 45 MiB/s, 2 s left");
  view.end();
  expect(seen.text).toEndWith("\x1b[2A\r\x1b[J");
});

test("elsewhere there is a line every five seconds, and every notice", () => {
  const { seen, view } = watched(false);
  view.take(planned);
  seen.now = 4_000;
  view.take(at(10));
  expect(seen.text).toBe("");
  view.take({ type: "notice", message: "Trying again in 2 s." });
  seen.now = 6_000;
  view.take(at(20));
  view.end();
  expect(seen.text).toBe("Trying again in 2 s.\nacme/tiny: 20 %, 20 MiB of 100 MiB\n");
});
