// How many jobs ended of late, and how many of them failed: counted by spans of time, since a busy box ends hundreds of thousands within minutes.
import type { Clock } from "../../core/clock.ts";
import { type Instant, type Milliseconds, milliseconds } from "../../core/units.ts";

export type EndCounts = { all: number; failed: number };
export type RecentEnds = {
  add(isFailure: boolean): void;
  /** Of those that ended within the time; for up to a span longer. */
  counts(): EndCounts;
};

/** Of the time that is looked at. */
const SPANS = 30;

export function createRecentEnds({ within, clock }: { within: Milliseconds; clock: Clock }): RecentEnds {
  const length = milliseconds(within / SPANS);
  let spans: (EndCounts & { begins: Instant })[] = [];
  return {
    add(isFailure) {
      const now = clock.now();
      let span = spans.at(-1);
      // A clock that was set back begins a span of its own.
      if (!span || now < span.begins || now >= span.begins + length) {
        span = { begins: now, all: 0, failed: 0 };
        spans.push(span);
      }
      span.all++;
      if (isFailure) span.failed++;
    },
    counts() {
      const now = clock.now();
      spans = spans.filter(({ begins }) => begins + length > now - within && begins <= now);
      return spans.reduce((sum, span) => ({ all: sum.all + span.all, failed: sum.failed + span.failed }), NONE);
    },
  };
}

const NONE: EndCounts = { all: 0, failed: 0 };
