// Moderations: refused, because no pipeline of this box judges texts; nothing is let through as harmless unread.
import { ForecourtError } from "../../core/errors.ts";

export async function moderations(): Promise<Response> {
  const message =
    "This box has no moderation model, so nothing was judged. Judge texts elsewhere, or ask a language model at /v1/chat/completions.";
  throw new ForecourtError("not_found", message, { details: { code: "model_not_found" } });
}
