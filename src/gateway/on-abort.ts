// Listening for an abort that may already have happened.

/** Calls back once, at once if it is too late to wait. The returned function calls it off. */
export function onAbort(signal: AbortSignal, call: (reason: unknown) => void): () => void {
  const listener = () => call(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
