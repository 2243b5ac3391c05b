// Headers that a failure brings along, the same on every face: when to come again, what may be called, what is left of limits.
import type { Failure } from "../core/errors.ts";

export const failureHeaders = ({ details }: Failure): Record<string, string> => ({
  ...(typeof details?.retryAfterSeconds === "number" && { "retry-after": String(details.retryAfterSeconds) }),
  ...(Array.isArray(details?.allow) && { allow: details.allow.join(", ") }),
  ...(isTexts(details?.headers) && details.headers),
});

const isTexts = (value: unknown): value is Record<string, string> =>
  typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");
