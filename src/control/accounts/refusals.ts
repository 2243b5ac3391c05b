// What a caller is told who may not go on: which limit, of whom, and when it is over.
import { type ErrorCode, ForecourtError } from "../../core/errors.ts";
import type { Instant } from "../../core/units.ts";
import type { Account, Budget } from "./account.ts";
import { amountText, budgetText } from "./budget-text.ts";

/** `key app`, `team art`, `model fal-ai/x`. */
export type Named = { account: Account; label: string };

type Limit = Named & { limit: string; now: Instant; resetsAt?: Instant; comesBack?: boolean };

/** A second for what nobody can foresee: a job's end. */
const UNFORESEEN_SECONDS = 1;

const secondsUntil = (at: Instant, now: Instant) => Math.max(1, Math.ceil((at - now) / 1000));

function refusal(code: ErrorCode, message: string, refused: Limit): ForecourtError {
  const { account, limit, now, resetsAt, comesBack = false } = refused;
  const wait = resetsAt === undefined || comesBack ? UNFORESEEN_SECONDS : secondsUntil(resetsAt, now);
  const isFinal = code === "budget_exhausted" && resetsAt === undefined;
  return new ForecourtError(code, message, {
    details: {
      account: account.kind,
      limit,
      ...(!isFinal && { retryAfterSeconds: wait }),
      ...(comesBack && { comesBack }),
      ...(resetsAt !== undefined && { resetsAt: new Date(resetsAt).toISOString() }),
    },
  });
}

export const rateLimited = (who: Named, perMinute: number, { now, freeAt }: { now: Instant; freeAt: Instant }) => {
  const limit = `${perMinute} requests/minute`;
  const message = `The ${who.label} may send ${limit}; the next one is free in ${secondsUntil(freeAt, now)} s.`;
  return refusal("rate_limited", message, { ...who, limit, now, resetsAt: freeAt });
};

export const concurrencyLimited = (who: Named, concurrency: number, now: Instant) =>
  refusal(
    "concurrency_limited",
    `The ${who.label} may run ${concurrency} requests at once, and has that many. Use the queue, or try again when one is over.`,
    { ...who, limit: `${concurrency} concurrent`, now },
  );

export const queueLimited = (who: Named, queue: number, now: Instant) =>
  refusal(
    "queue_full",
    `The queue is full: ${queue} requests of the ${who.label} may wait, and do. Try again when one has begun.`,
    { ...who, limit: `${queue} queued`, now },
  );

export type Shortage = Named & {
  budget: Budget;
  spent: number;
  reserved: number;
  needed: number;
  now: Instant;
  end: Instant;
  /** Only what is set aside for requests under way is in its way, of which something is left. */
  comesBack: boolean;
};

/** fal's words for an account without money, which its clients do not retry. */
export function budgetExhausted({ budget, spent, reserved, needed, end, ...who }: Shortage): ForecourtError {
  const { unit, amount } = budget;
  const limit = budgetText(budget);
  const left = amountText(unit, Math.max(0, amount - spent - reserved));
  const open = reserved > 0 ? `, and ${amountText(unit, reserved)} are set aside for requests under way` : "";
  const need = Number.isFinite(needed) ? ` This request may come to ${amountText(unit, needed)}.` : "";
  const message =
    `User is locked. Reason: Exhausted balance. Of its ${limit} the ${who.label} has used ${amountText(unit, spent)}${open}; ` +
    `${left} are left.${need} It begins anew at ${new Date(end).toISOString()}.`;
  return refusal("budget_exhausted", message, { ...who, limit, resetsAt: end });
}

export const otherCurrency = (who: Named, budget: Budget, { currency, now }: { currency: string; now: Instant }) =>
  refusal(
    "budget_exhausted",
    `User is locked. Reason: the ${who.label} has a budget of ${budgetText(budget)}, and this model's price is in ${currency}. Give it a price in ${budget.unit}, or a budget in ${currency}.`,
    { ...who, limit: budgetText(budget), now },
  );
