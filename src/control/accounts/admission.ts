// Whether a job may come in, and what is set aside for it: a rule over limits, rates, counters and the queue.
import type { Instant } from "../../core/units.ts";
import type { Amounts, Budget, Limits } from "./account.ts";
import { isCurrency } from "./account.ts";
import type { Counter } from "./counters.ts";
import type { Rate } from "./rates.ts";
import {
  budgetExhausted,
  concurrencyLimited,
  type Named,
  otherCurrency,
  queueLimited,
  rateLimited,
  type Shortage,
} from "./refusals.ts";

/** One of the accounts that the job counts for, and how it stands. */
export type Standing = Named & {
  limits: Limits;
  /** Only where there is a limit on it. */
  rate(limit: number): Rate;
  waiting(): number;
  running(): number;
  counter(budget: Budget): Counter;
};

export type Question = {
  standings: Standing[];
  /** The caller waits for the answer and not in the queue. */
  isDirect: boolean;
  /** The job is over as it begins, because its input is wrong: it takes no place and costs nothing. */
  isOver: boolean;
  /** The most that it can come to of a unit; infinite when nobody knows. */
  ceiling(unit: string): number;
  currency: string;
  now: Instant;
};

/** What to set aside of each unit that a hard budget counts. Throws the first refusal; of budgets the one that lasts longest. */
export function admit(question: Question): Amounts {
  const { standings, isDirect, isOver, now } = question;
  for (const standing of standings) {
    const { requestsPerMinute, concurrency, queue } = standing.limits;
    if (requestsPerMinute !== undefined) {
      const { remaining, freeAt } = standing.rate(requestsPerMinute);
      if (remaining < 1) throw rateLimited(standing, requestsPerMinute, { now, freeAt });
    }
    if (isOver) continue;
    if (concurrency !== undefined && isDirect && standing.running() + standing.waiting() >= concurrency)
      throw concurrencyLimited(standing, concurrency, now);
    if (queue !== undefined && standing.waiting() >= placesOf(standing, queue))
      throw queueLimited(standing, queue, now);
  }
  return isOver ? {} : setAside(question);
}

/**
 * Every job waits for a moment before it runs. Those that may run at once take no place of the queue; where nothing says
 * how many these are, one may always come in.
 */
function placesOf({ limits, running }: Standing, queue: number): number {
  if (limits.concurrency === undefined) return Math.max(queue, 1);
  return queue + Math.max(0, limits.concurrency - running());
}

function setAside({ standings, ceiling, currency, now }: Question): Amounts {
  const amounts: Record<string, number> = {};
  const refusals: Shortage[] = [];
  const hard = standings.flatMap((standing) =>
    (standing.limits.budgets ?? []).filter(({ isSoft }) => !isSoft).map((budget) => ({ standing, budget })),
  );
  for (const { standing, budget } of hard) {
    const { unit, amount } = budget;
    if (isCurrency(unit) && unit !== currency) {
      if (ceiling(currency) > 0) throw otherCurrency(standing, budget, { currency, now });
      continue;
    }
    const needed = ceiling(unit);
    if (needed === 0) {
      // Set aside as nothing, so that a run which counts it all the same is not charged for it.
      amounts[unit] = 0;
      continue;
    }
    const counter = standing.counter(budget);
    const { spent, reserved, end } = counter;
    const left = amount - spent - reserved;
    // Of what nobody can foresee, all that is left is set aside: the next such request waits for what comes back.
    const taken = Number.isFinite(needed) ? needed : left;
    if (taken > left || taken <= 0)
      refusals.push({
        ...standing,
        budget,
        spent,
        reserved,
        needed,
        now,
        end,
        comesBack: comesBack(budget, counter, needed),
      });
    amounts[unit] = Math.min(amounts[unit] ?? Number.POSITIVE_INFINITY, taken);
  }
  // The one that lasts longest: who came again after the hour would only hear of the month.
  const [last] = refusals.sort((a, b) => Number(a.comesBack) - Number(b.comesBack) || b.end - a.end);
  if (last) throw budgetExhausted(last);
  return amounts as Amounts; // integers, as budgets and ceilings are
}

/** Nothing but what is set aside for others is in the way: once they have ended at no cost, there is enough. */
const comesBack = ({ amount }: Budget, { spent, reserved }: Counter, needed: number): boolean =>
  reserved > 0 && amount > spent && (needed <= amount - spent || !Number.isFinite(needed));
