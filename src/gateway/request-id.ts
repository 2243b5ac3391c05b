// Every answer has an `x-fal-request-id`: its job's, or one of its own to find it by in the log.

export const REQUEST_ID = "x-fal-request-id";

export const newRequestId = () => Bun.randomUUIDv7();

/** Marks the answer in place. */
export function ensureRequestId({ headers }: Response): void {
  if (!headers.has(REQUEST_ID)) headers.set(REQUEST_ID, newRequestId());
}
