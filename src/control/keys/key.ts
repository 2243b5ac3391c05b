// A key as it is told: never its secret.
import type { KeyId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { Permission } from "./permissions.ts";

export const KEY_SCOPES = ["api", "admin", "metrics"] as const;

export type KeyScope = (typeof KEY_SCOPES)[number];

export type NewKey = {
  name: string;
  scope: KeyScope;
  /** Keys of one team share its limits, prices and reports. */
  team?: string;
  /** For people: whom to ask. */
  owner?: string;
  /** Patterns of model ids (`fal-ai/*`) that it may use; absent = all. */
  models?: string[];
  /** What it may do of all that its scope allows; absent = everything. */
  permissions?: Permission[];
  expiresAt?: Instant;
};

export type Key = NewKey & {
  id: KeyId;
  createdAt: Instant;
  revokedAt?: Instant;
  rotatedAt?: Instant;
  lastUsedAt?: Instant;
};
