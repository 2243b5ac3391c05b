// Headers of an answer: the request's id, where it ran and how long it took.
import { timingText } from "../fal/translate.ts";
import { REQUEST_ID } from "../request-id.ts";
import type { DoneJob } from "./runs.ts";

/** Of several jobs: the first one's. */
export function answerHeaders([job]: readonly DoneJob[]): Record<string, string> {
  if (!job) return {};
  return { [REQUEST_ID]: job.id, "x-forecourt-device": job.device, "x-forecourt-timing": timingText(job.timing) };
}
