// Ctrl-C for commands that hold something: the first one stops in good order.
import { ForecourtError } from "../../core/errors.ts";

/** `said` is what the command ends with when it is interrupted. */
export async function interruptible<T>(said: string, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort(new ForecourtError("client_cancelled", said));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    return await act(interrupt.signal);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
