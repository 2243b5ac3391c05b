// What a caller asks for beside the input: fal's request headers and query parameters, as options of a submission.
import type { Submission } from "../../control/jobs/jobs.ts";
import { ForecourtError } from "../../core/errors.ts";
import { milliseconds } from "../../core/units.ts";

type Options = Pick<Submission, "priority" | "startTimeout" | "retry" | "maxQueue">;

/** Shorter ones cannot be met even by an idle model (fal's own bound). */
const SHORTEST_TIMEOUT_SECONDS = 0.1;

/** Throws `bad_request`, naming the header or parameter that is wrong. */
export function submissionOptions(headers: Headers, query: URLSearchParams): Options {
  const timeout = headers.get("x-fal-request-timeout");
  const priority = headers.get("x-fal-queue-priority");
  const noRetry = headers.get("x-fal-no-retry");
  const maxQueue = query.get("fal_max_queue_length");
  return {
    ...(timeout !== null && { startTimeout: startTimeoutOf(timeout) }),
    ...(priority !== null && { priority: priorityOf(priority) }),
    ...(noRetry !== null && /^(1|true|yes)$/i.test(noRetry.trim()) && { retry: false }),
    // fal refuses when more wait than that, `maxQueue` when as many do.
    ...(maxQueue !== null && { maxQueue: maxQueueOf(maxQueue) + 1 }),
  };
}

function startTimeoutOf(text: string) {
  const seconds = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(seconds) && seconds > SHORTEST_TIMEOUT_SECONDS) return milliseconds(seconds * 1000);
  throw wrong("X-Fal-Request-Timeout", `a number of seconds above ${SHORTEST_TIMEOUT_SECONDS}`, text);
}

function priorityOf(text: string) {
  if (text === "normal" || text === "low") return text;
  throw wrong("X-Fal-Queue-Priority", "normal or low", text);
}

function maxQueueOf(text: string) {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw wrong("fal_max_queue_length", "a whole number", text);
}

const wrong = (name: string, expected: string, given: string) =>
  new ForecourtError("bad_request", `${name} should be ${expected}, not ${JSON.stringify(given.slice(0, 100))}.`);
