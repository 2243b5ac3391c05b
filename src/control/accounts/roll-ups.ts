// Takes usage rows into the sums now and then, and removes those whose time is over: never while a request waits.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { TotalsStore } from "./totals-store.ts";
import type { UsageStore } from "./usage-store.ts";

const PERIOD = milliseconds(5_000);
/** Half a millisecond of work, a third of it whatever the number; between two of these the server does its other work. */
const ROWS_AT_ONCE = 128;
const SOON = milliseconds(20);

type RollUpParts = {
  totals: TotalsStore;
  usage: Pick<UsageStore, "removeBefore">;
  writes: Pick<Database, "write">;
  retention: Milliseconds;
  clock: Clock;
  timers: Timers;
  log: Log;
};

export function createRollUps({ totals, usage, writes, retention, clock, timers, log }: RollUpParts) {
  let cancel = () => {};
  const work = (): boolean => {
    try {
      if (totals.rollUp(ROWS_AT_ONCE)) return true;
      return writes.write(() => usage.removeBefore(instant(clock.now() - retention), ROWS_AT_ONCE)) >= ROWS_AT_ONCE;
    } catch (error) {
      log.error("usage could not be summed up", { error: String(error) });
      return false;
    }
  };
  const plan = (delay: Milliseconds) => {
    cancel = timers.after(delay, () => plan(work() ? SOON : PERIOD));
  };
  return { start: () => plan(PERIOD), stop: () => cancel() };
}
