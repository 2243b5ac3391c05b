// When to look: after any event, at the next deadline, and again after the database refused a write.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { type Instant, milliseconds } from "../../core/units.ts";
import { isDatabaseError } from "../database-error.ts";

/** When to look next without an event: at a time, at once, or not at all. */
export type Look = Instant | "again" | undefined;

export type Loop = {
  start(): void;
  stop(): void;
  /** Looks at the end of this turn's own work, once for all who ask, so that a job is claimed in the transaction that stored it. */
  wake(): void;
  /** Runs something that writes; what it throws stops neither the server nor the loop. */
  guard(act: () => void): void;
  /** Something could not be written: has it mended in a while. */
  broken(reason: string): void;
  /**
   * Resolves after a look, asked for now: never in a loop that is dead, nor in one whose looks all fail. One that the database made fail
   * counts: it is made again and again, and no other process would do better.
   */
  looked(): Promise<void>;
};

/** After the database refused a write, e.g. on a full disk: how long until the queue is read again. */
const MEND_DELAY = milliseconds(1_000);

export type LoopParts = { look: () => Look; mend: () => void; clock: Clock; timers: Timers; log: Log };

export function createLoop({ look, mend, clock, timers, log }: LoopParts): Loop {
  let isRunning = false;
  let isAwake = false;
  let isBroken = false;
  let disarm = () => {};
  let armedFor: Instant | undefined;
  const audience = createAudience(look);

  /** One that is armed for an earlier moment stays: the look it brings arms the next one. So most looks, which only move it on, cost none. */
  const arm = (at: Instant) => {
    const now = clock.now();
    // One that should be over is of a clock that was set forward.
    if (armedFor !== undefined && armedFor > now && armedFor <= at) return;
    disarm();
    armedFor = at;
    disarm = timers.after(milliseconds(at - now), () => {
      armedFor = undefined;
      wake();
    });
  };
  const broken = (reason: string) => {
    if (isBroken) return;
    isBroken = true;
    log.error("the queue could not be brought up to date; trying again", { reason });
    timers.after(MEND_DELAY, () => {
      isBroken = false;
      if (isRunning) guard(mend);
      wake();
    });
  };
  const guard = (act: () => void) => {
    try {
      act();
    } catch (error) {
      broken(error instanceof Error ? error.message : String(error));
    }
  };
  const lookOnce = () => {
    const next = audience.look();
    // Other work of this process comes in between.
    if (next === "again") setImmediate(wake);
    else if (next !== undefined) arm(next);
  };
  function wake() {
    if (!isRunning || isAwake) return;
    isAwake = true;
    queueMicrotask(() => {
      isAwake = false;
      if (isRunning) guard(lookOnce);
    });
  }

  return {
    wake,
    guard,
    broken,
    looked() {
      wake();
      return audience.looked();
    },
    start() {
      isRunning = true;
      wake();
    },
    stop() {
      isRunning = false;
      disarm();
      armedFor = undefined;
    },
  };
}

/** Those who wait for the next look. */
function createAudience(look: () => Look) {
  let waiting: PromiseWithResolvers<void> | undefined;
  const answer = () => {
    waiting?.resolve();
    waiting = undefined;
  };
  return {
    looked() {
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
    look(): Look {
      try {
        const next = look();
        answer();
        return next;
      } catch (error) {
        if (isDatabaseError(error)) answer();
        throw error;
      }
    },
  };
}
