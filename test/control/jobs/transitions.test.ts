// Of rows in memory: which ending still finds its job as it was.
import { expect, test } from "bun:test";
import { isLeftBy } from "../../../src/control/jobs/transitions.ts";
import { newRunnerId } from "../../../src/core/ids.ts";

const [mine, other] = [newRunnerId(), newRunnerId()];

test.each([
  ["one that waits by its end in the queue", "queued", null, { from: "queued" }, true],
  ["one that runs by its runner's end", "running", mine, { from: "running", runner: mine }, true],
  ["one that runs not by another runner's", "running", other, { from: "running", runner: mine }, false],
  ["one that runs not by an end in the queue", "running", mine, { from: "queued" }, false],
  ["one that waits not by a runner's end", "queued", null, { from: "running", runner: mine }, false],
  ["one that was cancelled by nothing more", "cancelled", null, { from: "queued" }, false],
  ["one that is done by nothing more", "done", mine, { from: "running", runner: mine }, false],
] as const)("of jobs is ended %s", (_, status, runner, leaving, isLeft) => {
  expect(isLeftBy({ status, runner }, leaving)).toBe(isLeft);
});
