// Writes down when keys were last used, now and then: never while a request waits.
import type { Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { milliseconds } from "../../core/units.ts";
import type { Keys } from "./keys.ts";

const PERIOD = milliseconds(60_000);

export function createUsageNotes({ keys, timers, log }: { keys: Keys; timers: Timers; log: Log }) {
  let cancel = () => {};
  const write = () => {
    try {
      keys.flushUsage();
    } catch (error) {
      log.error("the use of keys could not be written down", { error: String(error) });
    }
  };
  const plan = () => {
    cancel = timers.after(PERIOD, () => {
      write();
      plan();
    });
  };
  return {
    start: plan,
    stop() {
      cancel();
      write();
    },
  };
}
