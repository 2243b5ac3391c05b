// Is a key good at this moment? Connections that last ask again.
import type { Instant } from "../../core/units.ts";
import type { Key } from "./key.ts";

/** Why it is not; undefined for a key that is good. */
export function endOf(key: Pick<Key, "revokedAt" | "expiresAt"> | undefined, now: Instant) {
  if (key === undefined) return "does not exist";
  if (key.revokedAt !== undefined) return "was revoked";
  if (key.expiresAt !== undefined && key.expiresAt <= now) return "has expired";
  return undefined;
}
