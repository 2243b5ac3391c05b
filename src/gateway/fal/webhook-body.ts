// A finished job as fal's webhooks tell it (fal-protocol.md 3).
import type { WebhookBody } from "../../control/webhooks/webhooks.ts";
import { invariant } from "../../core/errors.ts";
import { failureBody, statusOf } from "../failures.ts";
import { failureOf, isOver, publicOutput } from "./translate.ts";

/** Beyond this a receiver fetches the result instead: many refuse larger bodies, and each attempt sends the whole. */
const LARGEST_PAYLOAD = 4 * 1024 * 1024;

const FORGOTTEN = "The result was not kept, as its request asked with X-Fal-Store-IO: 0.";

/** The same text for every attempt, so that receivers can tell repetitions. */
export const webhookBody: WebhookBody = (job, origin) => {
  invariant(isOver(job), "webhooks tell the end of a job");
  // fal names the attempt; here all attempts of a request have its id.
  const ids = { request_id: job.id, gateway_request_id: job.id };
  if (job.status !== "done") {
    const failure = failureOf(job);
    const error = `Invalid status code: ${statusOf(failure)}`;
    return JSON.stringify({ ...ids, status: "ERROR", error, payload: failureBody(failure) });
  }
  if (job.isForgotten) return JSON.stringify({ ...ids, status: "OK", payload: null, payload_error: FORGOTTEN });
  const payload = JSON.stringify(publicOutput(job.output, job.files, { origin })) ?? "null";
  const size = Buffer.byteLength(payload);
  if (size <= LARGEST_PAYLOAD)
    return `${JSON.stringify({ ...ids, status: "OK", error: null }).slice(0, -1)},"payload":${payload}}`;
  const payload_error = `The payload is too large for a webhook: ${size} bytes, and ${LARGEST_PAYLOAD} may be sent. Fetch the result of the request instead.`;
  return JSON.stringify({ ...ids, status: "OK", payload: null, payload_error });
};
