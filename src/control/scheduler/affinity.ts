// Of runners that could all take a job, the one that served its hint before: its caller comes back to what is kept there.
import type { RunnerId } from "../../core/ids.ts";

/** Hints by the runner that served them. */
export type Served = ReadonlyMap<RunnerId, ReadonlySet<string>>;

/** Without such a runner the first. */
export function preferred<Runner extends { id: RunnerId }>(
  hint: string | undefined,
  runners: readonly Runner[],
  served: Served | undefined,
): Runner | undefined {
  if (hint === undefined || !served) return runners[0];
  return runners.find(({ id }) => served.get(id)?.has(hint)) ?? runners[0];
}
