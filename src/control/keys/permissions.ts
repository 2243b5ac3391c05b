// What keys may do, finer than their scope: fal's names for files and settings, and one for running models.

export const PERMISSIONS = [
  "models:run",
  "assets:read",
  "assets:write",
  "account:settings:read",
  "account:settings:write",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** A key without a list may do all that its scope allows; one with a list nothing beyond it. */
export const isPermitted = (key: { permissions?: readonly Permission[] }, permission: Permission) =>
  key.permissions === undefined || key.permissions.includes(permission);
