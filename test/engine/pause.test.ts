import { expect, test } from "bun:test";
import { createPause } from "../../src/engine/pause.ts";

/** As a runner's channel does: what arrives is heard when the event loop turns. */
function cancelledMeanwhile() {
  const stop = new AbortController();
  const reason = new Error("cancelled");
  setImmediate(() => stop.abort(reason));
  return { signal: stop.signal, reason };
}

/** Computes without a rest; throws what a pause throws. */
async function compute(pause: () => Promise<void>, milliseconds: number): Promise<void> {
  for (const end = performance.now() + milliseconds; performance.now() < end; ) await pause();
}

test("a long computation hears between two pauses that it was cancelled", async () => {
  const { signal, reason } = cancelledMeanwhile();
  await expect(compute(createPause(signal), 5000)).rejects.toBe(reason);
});

test("without a signal messages are let in all the same", async () => {
  const { signal } = cancelledMeanwhile();
  await compute(createPause(undefined), 200);
  expect(signal.aborted).toBe(true);
});
