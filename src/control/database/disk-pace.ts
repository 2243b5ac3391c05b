// Whether waiting for the disk is so short that handing the wait to another thread would take longer than the wait itself: so it
// is with data in memory and on drives that own a protected cache. Decides by what earlier waits took, and does nothing else.

/** Of one wait, in milliseconds: beyond it the event loop should not stand still, and a thread's hop costs little beside it. */
const QUICK_MS = 0.15;
/** Waits in a row that are looked at together. */
const LOOKED_AT = 16;
/** Lots in a row that are slow on average before the disk counts as slow: one of them may be a thread that stood still, on a busy machine. */
const SLOW_LOTS = 2;
/** How long a disk that was found slow is not tried again, in milliseconds. */
const REST_MS = 60_000;

export type DiskPace = {
  /** True: wait for it at once, on this thread. */
  isQuick(): boolean;
  /** What a wait took, in milliseconds: on this thread, or with the way to another one and back. */
  took(ms: number): void;
};

/** `now` in milliseconds. */
export function createDiskPace(now: () => number): DiskPace {
  let isQuick = false;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let latest: number[] = [];
  let slowLots = 0;
  return {
    isQuick: () => isQuick,
    took(ms) {
      latest.push(ms);
      if (latest.length < LOOKED_AT) return;
      // The way to another thread takes long on a busy machine, so that the shortest wait tells most about the disk.
      const measure = isQuick ? mean(latest) : Math.min(...latest);
      latest = [];
      slowLots = measure > QUICK_MS ? slowLots + 1 : 0;
      if (isQuick && slowLots >= SLOW_LOTS) {
        isQuick = false;
        restsUntil = now() + REST_MS;
      } else if (measure <= QUICK_MS && now() >= restsUntil) isQuick = true;
    },
  };
}

const mean = (samples: number[]) => samples.reduce((sum, each) => sum + each, 0) / samples.length;
