// The headers by which a receiver knows who sent a webhook, and that nobody changed it (fal-protocol.md 3).
import { createHash } from "node:crypto";
import type { JobId, KeyId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { SigningKey } from "./signing-key.ts";

export type Letter = { job: JobId; user: KeyId; body: string };

/** Receivers refuse timestamps that are more than 300 s old: each attempt is signed anew. */
export function signedHeaders({ job, user, body }: Letter, at: Instant, key: SigningKey): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const digest = createHash("sha256").update(body).digest("hex");
  const signature = key.sign([job, user, timestamp, digest].join("\n"));
  return {
    "x-fal-webhook-request-id": job,
    "x-fal-webhook-user-id": user,
    "x-fal-webhook-timestamp": timestamp,
    "x-fal-webhook-signature": signature.toString("hex"),
  };
}
