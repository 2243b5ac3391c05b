// Keys and limits in the words of the command line and of HTTP: one schema, one way to show them.
import { isoTime } from "../../core/iso-time.ts";
import { parseExactly, type Static, Type } from "../../core/schema.ts";
import type { Instant } from "../../core/units.ts";
import { eachIn } from "../../core/wrong-field.ts";
import type { Key } from "../keys/key.ts";
import type { Limits } from "./account.ts";
import { amountText, budgetText, parseBudget } from "./budget-text.ts";
import type { AccountState } from "./state.ts";

const count = (description: string, minimum: number) =>
  Type.Optional(Type.Integer({ minimum, maximum: 1_000_000, description }));

export const limitFields = {
  requests_per_minute: count("Requests in any sixty seconds", 1),
  concurrency: count("Requests that run at once", 1),
  queue: count("Requests that wait, beside those that may run at once", 0),
  budgets: Type.Optional(
    Type.Array(Type.String({ maxLength: 100 }), {
      maxItems: 32,
      description:
        "Each an amount of a currency, of requests or of a price's unit per hour, day or month (of the calendar, in UTC), e.g. '10 USD/day', '500 requests/month'; 'soft' at its end only warns",
    }),
  ),
  may_exceed: Type.Optional(
    Type.Boolean({
      description: "A request may come to more than was set aside for it; else it is never charged more",
    }),
  ),
};

export const limitsSchema = Type.Object(limitFields);
export type LimitWords = Static<typeof limitsSchema>;

/** Throws `invalid_input`, naming what is wrong. */
export const readLimits = (words: unknown): Limits => limitsOfWords(parseExactly(limitsSchema, words));

export function limitsOfWords(words: LimitWords): Limits {
  const { requests_per_minute: requestsPerMinute, concurrency, queue, budgets, may_exceed } = words;
  return {
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(concurrency !== undefined && { concurrency }),
    ...(queue !== undefined && { queue }),
    ...(budgets && budgets.length > 0 && { budgets: eachIn("budgets", budgets, parseBudget) }),
    ...(may_exceed && { mayExceed: true }),
  };
}

export const limitWords = ({ requestsPerMinute, concurrency, queue, budgets = [], mayExceed }: Limits) => ({
  requests_per_minute: requestsPerMinute ?? null,
  concurrency: concurrency ?? null,
  queue: queue ?? null,
  budgets: budgets.map(budgetText),
  may_exceed: mayExceed === true,
});

/** With what is used and left now. */
export const stateWords = ({ budgets, rate }: AccountState) => ({
  ...(rate && {
    rate: { limit: rate.limit, remaining: rate.remaining, resets_at: isoTime(rate.freeAt) },
  }),
  budgets: budgets.map(({ text, unit, spent, reserved, remaining, isExceeded, resetsAt }) => ({
    budget: text,
    spent: amountText(unit, spent),
    reserved: amountText(unit, reserved),
    remaining: amountText(unit, remaining),
    is_exceeded: isExceeded,
    resets_at: isoTime(resetsAt),
  })),
});

/** Without its secret. */
export const keyWords = (key: Key, { limits, now }: { limits: Limits; now: Instant }) => ({
  id: key.id,
  name: key.name,
  scope: key.scope,
  state: keyState(key, now),
  team: key.team ?? null,
  owner: key.owner ?? null,
  models: key.models ?? null,
  permissions: key.permissions ?? null,
  limits: limitWords(limits),
  created_at: isoTime(key.createdAt),
  expires_at: isoTime(key.expiresAt),
  revoked_at: isoTime(key.revokedAt),
  rotated_at: isoTime(key.rotatedAt),
  last_used_at: isoTime(key.lastUsedAt),
});

export function keyState({ revokedAt, expiresAt }: Key, now: Instant): "active" | "revoked" | "expired" {
  if (revokedAt !== undefined) return "revoked";
  return expiresAt !== undefined && expiresAt <= now ? "expired" : "active";
}
