// SIGINT and SIGTERM: the first one asks to drain, the second one not to wait for it.

export type StopSignals = {
  /** Aborted by the first signal. */
  drain: AbortSignal;
  /** Resolves at the second signal. */
  atOnce: Promise<void>;
  [Symbol.dispose](): void;
};

export function listenForStop(): StopSignals {
  const drain = new AbortController();
  const { promise: atOnce, resolve } = Promise.withResolvers<void>();
  const onSignal = () => (drain.signal.aborted ? resolve() : drain.abort());
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    drain: drain.signal,
    atOnce,
    [Symbol.dispose]: () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal),
  };
}

export const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
