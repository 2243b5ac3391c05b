// Which runner served which hint, remembered for a while.
import type { RunnerId } from "../../core/ids.ts";
import type { Served } from "./affinity.ts";

export type ServedHints = {
  readonly served: Served;
  note(runner: RunnerId, hint: string): void;
  /** After its end. */
  forget(runner: RunnerId): void;
};

/** Of each runner; the one not heard of the longest goes first. A runner keeps state for fewer (diffusion/sessions.ts). */
const HINTS_KEPT = 256;

export function createServedHints(): ServedHints {
  const served = new Map<RunnerId, Set<string>>();
  return {
    served,
    note(runner, hint) {
      const hints = served.get(runner) ?? new Set();
      served.set(runner, hints);
      hints.delete(hint);
      hints.add(hint);
      const [oldest] = hints;
      if (hints.size > HINTS_KEPT && oldest !== undefined) hints.delete(oldest);
    },
    forget: (runner) => {
      served.delete(runner);
    },
  };
}
