// What remains of a caller's limits, as headers of an answer, and of a refusal too.
import type { Accounts } from "../control/accounts/accounts.ts";
import { amountText } from "../control/accounts/budget-text.ts";
import type { AccountState } from "../control/accounts/state.ts";
import type { Key } from "../control/keys/keys.ts";
import { type ErrorCode, ForecourtError } from "../core/errors.ts";
import type { Instant } from "../core/units.ts";
import type { Face } from "./fal/call.ts";

type Limited = {
  accounts: Pick<Accounts, "limitsOf" | "stateOf">;
  /** How a face writes when the next request is free. */
  resetText?: (freeAt: Instant) => string;
};

const isoText = (at: Instant) => new Date(at).toISOString();

/** `6m0s`, `12s`: as OpenAI writes the time until a limit is over. */
export function timeLeftText(at: Instant, now: Instant): string {
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

const REFUSALS: readonly ErrorCode[] = ["rate_limited", "concurrency_limited", "queue_full", "budget_exhausted"];

export const withLimitHeaders =
  (face: Face, limited: Limited): Face =>
  async (call) => {
    try {
      const response = await face(call);
      for (const [name, value] of limitHeaders(limited, call.caller)) response.headers.set(name, value);
      return response;
    } catch (error) {
      if (!(error instanceof ForecourtError && REFUSALS.includes(error.code))) throw error;
      const headers = Object.fromEntries(limitHeaders(limited, call.caller));
      const { code, message, details, ...rest } = error.toFailure();
      throw new ForecourtError(code, message, { ...rest, details: { ...details, headers }, cause: error });
    }
  };

/** None for a caller without limits; budgets are lists, each at the same place in every header. */
function limitHeaders({ accounts, resetText = isoText }: Limited, caller: Key): [string, string][] {
  const of = [
    { kind: "key" as const, id: caller.id },
    ...(caller.team ? [{ kind: "team" as const, id: caller.team }] : []),
  ];
  const states = of.filter((account) => Object.keys(accounts.limitsOf(account)).length > 0).map(accounts.stateOf);
  return [...rateHeaders(states, resetText), ...budgetHeaders(states)];
}

function rateHeaders(states: AccountState[], resetText: (freeAt: Instant) => string): [string, string][] {
  const rates = states.flatMap(({ rate }) => (rate ? [rate] : []));
  const [tightest] = rates.sort((a, b) => a.remaining - b.remaining);
  if (!tightest) return [];
  return [
    ["x-ratelimit-limit-requests", String(tightest.limit)],
    ["x-ratelimit-remaining-requests", String(tightest.remaining)],
    ["x-ratelimit-reset-requests", resetText(tightest.freeAt)],
  ];
}

function budgetHeaders(states: AccountState[]): [string, string][] {
  const budgets = states.flatMap(({ account, budgets }) => budgets.map((budget) => ({ ...budget, of: account.kind })));
  if (budgets.length === 0) return [];
  const list = (text: (budget: (typeof budgets)[number]) => string, among = budgets) => among.map(text).join(", ");
  const nameOf = ({ of, text }: (typeof budgets)[number]) => `${of} ${text}`;
  const exceeded = budgets.filter(({ isExceeded }) => isExceeded);
  return [
    ["x-forecourt-budget-limit", list(nameOf)],
    ["x-forecourt-budget-remaining", list(({ unit, remaining }) => amountText(unit, remaining))],
    ["x-forecourt-budget-reset", list(({ resetsAt }) => isoText(resetsAt))],
    ...(exceeded.length > 0 ? [["x-forecourt-budget-exceeded", list(nameOf, exceeded)] as [string, string]] : []),
  ];
}
