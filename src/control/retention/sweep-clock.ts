// The cautious clock of a box, which goes on from where its last server was: what that knew is written down now and then. The only door
// to this folder's parts.
import { type Clock, systemClock, type Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { type Instant, milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { cautiousClock } from "./cautious-clock.ts";
import { createClockMarkStore } from "./clock-mark-store.ts";
import { createTimeServer } from "./time-server.ts";
import { createUptime } from "./uptime.ts";

export type SweepClock = Clock & { start(): void; stop(): void };

type Parts = { clock: Clock; database: Database; lastEnd: Instant | undefined; timers: Timers; log: Log };

/** Far less than a clock may be ahead without being doubted, and seldom enough for a disk that sleeps. */
const PERIOD = milliseconds(10 * 60 * 1000);

export function openSweepClock({ clock, database, lastEnd, timers, log }: Parts): SweepClock {
  const store = createClockMarkStore(database);
  const cautious = cautiousClock(clock, {
    ...{ mark: store.find(), known: lastEnd, log },
    // A clock that is given has nothing to do with the machine's.
    ...(clock === systemClock && { uptime: createUptime(), isConfirmed: createTimeServer() }),
  });
  let cancel = () => {};
  const write = () => {
    try {
      store.save(cautious.mark());
    } catch (error) {
      log.error("the time could not be written down", { error: String(error) });
    }
  };
  const goOn = () => {
    write();
    cancel = timers.after(PERIOD, goOn);
  };
  return {
    ...cautious,
    start: goOn,
    stop() {
      cancel();
      write();
    },
  };
}
