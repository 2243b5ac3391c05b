// Idempotency-Key: a change that is sent again within ten minutes is answered as before and not made again.
import { ForecourtError } from "../../core/errors.ts";
import type { Instant } from "../../core/units.ts";

const KEPT_MS = 10 * 60 * 1000;
/** Beyond this the oldest answers are forgotten early. */
const MOST = 10_000;

export type Idempotency = (
  ask: { key: string; content: string; now: Instant },
  answer: () => Promise<Response>,
) => Promise<Response>;

type Kept = { content: string; until: number; answer: Promise<Response> };

/**
 * `key` names caller, operation and the header's value; `content` is all else that decides the answer. Kept in memory: a
 * restart forgets. Answers of 5xx are not kept. Throws `bad_request` for a key that came with other content before.
 */
export function createIdempotency(): Idempotency {
  const kept = new Map<string, Kept>();
  return async ({ key, content, now }, answer) => {
    for (const [each, { until }] of kept)
      if (until <= now || kept.size > MOST) kept.delete(each);
      else break;
    const earlier = kept.get(key);
    if (earlier && earlier.content !== content)
      throw new ForecourtError("bad_request", "This Idempotency-Key was used for another request. Choose a new one.");
    if (earlier) return (await earlier.answer).clone();
    const made = answer();
    kept.set(key, { content, until: now + KEPT_MS, answer: made });
    try {
      const response = await made;
      if (response.status >= 500) kept.delete(key);
      return response.clone();
    } catch (error) {
      kept.delete(key);
      throw error;
    }
  };
}
