// Headers of an answer: the request's id, what it came to, where it ran and how long it took.
import { chargeHeaders } from "../charge-headers.ts";
import { timingText } from "../fal/translate.ts";
import { placeHeaders } from "../place-headers.ts";
import { REQUEST_ID } from "../request-id.ts";
import type { DoneJob, OpenAiParts } from "./runs.ts";

/** Of several jobs: the first one's, and what all of them came to. */
export function answerHeaders(
  { accounts, catalog }: Pick<OpenAiParts, "accounts" | "catalog">,
  done: readonly DoneJob[],
): Record<string, string> {
  const [job] = done;
  if (!job) return {};
  return {
    [REQUEST_ID]: job.id,
    ...chargeHeaders(done.map(({ id }) => accounts.chargeOf(id))),
    ...placeHeaders(job, catalog),
    "x-forecourt-timing": timingText(job.timing),
  };
}
