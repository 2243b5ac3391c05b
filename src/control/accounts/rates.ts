// Requests of the last minute, exactly: at no moment do more than the limit lie within sixty seconds.
import { type Instant, instant } from "../../core/units.ts";

const MINUTE_MS = 60_000;
const MANY = 1_000;

export type Rate = {
  remaining: number;
  /** When the next one may come, or now. */
  freeAt: Instant;
};

export type Rates = {
  look(account: string, limit: number, now: Instant): Rate;
  take(account: string, now: Instant): void;
};

/** Times of requests, oldest first; `head` is where those of the last minute begin. */
type Log = { times: number[]; head: number };

/** Kept in memory alone: a restart forgives the last minute. */
export function createRates(): Rates {
  const logs = new Map<string, Log>();
  let sweepAt = MANY;
  /** Those of keys that are over, and of all that ask seldom, go; what it costs is shared by as many new ones. */
  const sweep = (now: number) => {
    for (const [account, { times }] of logs) if ((times.at(-1) ?? 0) <= now - MINUTE_MS) logs.delete(account);
    sweepAt = Math.max(MANY, 2 * logs.size);
  };

  return {
    look(account, limit, now) {
      const log = logs.get(account);
      if (!log) return { remaining: limit, freeAt: now };
      forget(log, now);
      const count = log.times.length - log.head;
      if (count < limit) return { remaining: limit - count, freeAt: now };
      return { remaining: 0, freeAt: instant((log.times[log.times.length - limit] ?? now) + MINUTE_MS) };
    },
    take(account, now) {
      const log = logs.get(account) ?? { times: [], head: 0 };
      log.times.push(now);
      if (logs.size >= sweepAt) sweep(now);
      logs.set(account, log);
    },
  };
}

function forget(log: Log, now: number): void {
  const { times } = log;
  // A clock that was set back would keep its last minute for as long as it was set back.
  if ((times.at(-1) ?? 0) > now) log.head = times.length;
  while (log.head < times.length && (times[log.head] ?? 0) <= now - MINUTE_MS) log.head++;
  if (log.head > 1024 && log.head * 2 > times.length) {
    times.splice(0, log.head);
    log.head = 0;
  }
}
