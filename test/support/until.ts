// Waiting for a state that no event announces.

/** Looks again each turn of the event loop; fails the test when it takes too long. */
export async function until(condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`it did not come to this within ${timeoutMs} ms: ${condition}`);
    await new Promise(setImmediate);
  }
}
