// What a caller asks for beside the input: fal's request headers and query parameters, as options of a submission.
import type { Submission } from "../../control/jobs/submission.ts";
import { readLifecycle } from "../../control/storage/acl.ts";
import { ForecourtError } from "../../core/errors.ts";
import { RETRY_CONDITIONS, type Wishes } from "../../core/job.ts";
import { parse, Type } from "../../core/schema.ts";
import { milliseconds } from "../../core/units.ts";
import { TAGS, tagsOf } from "./tags.ts";

export type SubmissionOptions = Pick<
  Submission,
  "priority" | "startTimeout" | "retry" | "maxQueue" | "wishes" | "tags" | "keepsPayload" | "lifecycle"
>;

/** Shorter ones cannot be met even by an idle model (fal's own bound). */
const SHORTEST_TIMEOUT_SECONDS = 0.1;
/** A hint is a name, not a document. */
const LONGEST_HINT = 256;

const LIFECYCLE = "x-fal-object-lifecycle-preference";

/** Throws `bad_request`, naming the header or parameter that is wrong. */
export function submissionOptions(headers: Headers, query: URLSearchParams): SubmissionOptions {
  const timeout = headers.get("x-fal-request-timeout");
  const priority = headers.get("x-fal-queue-priority");
  const noRetry = headers.get("x-fal-no-retry");
  const maxQueue = query.get("fal_max_queue_length");
  const tags = headers.get(TAGS);
  const lifecycle = headers.get(LIFECYCLE);
  const wishes = wishesOf(headers);
  return {
    ...(timeout !== null && { startTimeout: startTimeoutOf(timeout) }),
    ...(priority !== null && { priority: priorityOf(priority) }),
    ...(noRetry !== null && /^(1|true|yes)$/i.test(noRetry.trim()) && { retry: false }),
    // fal refuses when more wait than that, `maxQueue` when as many do.
    ...(maxQueue !== null && { maxQueue: maxQueueOf(maxQueue) + 1 }),
    ...(headers.get("x-fal-store-io")?.trim() === "0" && { keepsPayload: false }),
    ...(tags !== null && { tags: tagsOf(tags) }),
    ...(lifecycle !== null && { lifecycle: readLifecycle(lifecycle) }),
    ...(Object.keys(wishes).length > 0 && { wishes }),
  };
}

function wishesOf(headers: Headers): Wishes {
  const hint = headers.get("x-fal-runner-hint")?.trim() ?? "";
  const retries = headers.get("x-fal-retry-config");
  if (hint.length > LONGEST_HINT) throw wrong("X-Fal-Runner-Hint", `at most ${LONGEST_HINT} characters`, hint);
  return { ...(hint !== "" && { hint }), ...(retries !== null && { retries: retriesOf(retries) }) };
}

const condition = Type.Optional(Type.Object({ retries: Type.Integer({ minimum: 0, maximum: 10 }) }));
const retryConfig = Type.Object({ server_error: condition, timeout: condition, connection_error: condition });

function retriesOf(text: string): NonNullable<Wishes["retries"]> {
  try {
    const given = parse(retryConfig, JSON.parse(text));
    return Object.fromEntries(RETRY_CONDITIONS.flatMap((name) => (given[name] ? [[name, given[name].retries]] : [])));
  } catch (cause) {
    const expected = `JSON such as {"server_error":{"retries":2}}, of ${RETRY_CONDITIONS.join(", ")}, with 0 to 10 retries`;
    throw wrong("X-Fal-Retry-Config", expected, text, cause);
  }
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

function wrong(name: string, expected: string, given: string, cause?: unknown) {
  const message = `${name} should be ${expected}, not ${JSON.stringify(given.slice(0, 100))}.`;
  return new ForecourtError("bad_request", message, { cause });
}
