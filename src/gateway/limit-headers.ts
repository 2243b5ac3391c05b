// What remains of a caller's limits, as headers of an answer, and of a refusal too.
import { type Account, isLimiting } from "../control/accounts/account.ts";
import type { Accounts } from "../control/accounts/accounts.ts";
import { amountText } from "../control/accounts/budget-text.ts";
import type { AccountState } from "../control/accounts/state.ts";
import type { Key } from "../control/keys/key.ts";
import { type ErrorCode, ForecourtError } from "../core/errors.ts";
import { isoTime } from "../core/iso-time.ts";
import type { Instant } from "../core/units.ts";
import type { Face } from "./fal/call.ts";

type Limited = {
  accounts: Pick<Accounts, "limitsOf" | "stateOf">;
  /** How a face writes when the next request is free. */
  resetText?: (freeAt: Instant) => string;
};

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
function limitHeaders({ accounts, resetText = isoTime }: Limited, { id, team }: Key): [string, string][] {
  const states: AccountState[] = [];
  const look = (account: Account) => {
    if (isLimiting(accounts.limitsOf(account))) states.push(accounts.stateOf(account));
  };
  look({ kind: "key", id });
  if (team) look({ kind: "team", id: team });
  return states.length === 0 ? NONE : [...rateHeaders(states, resetText), ...budgetHeaders(states)];
}

const NONE: [string, string][] = [];

function rateHeaders(states: AccountState[], resetText: (freeAt: Instant) => string): [string, string][] {
  let tightest: AccountState["rate"];
  for (const { rate } of states) if (rate && (!tightest || rate.remaining < tightest.remaining)) tightest = rate;
  if (!tightest) return NONE;
  return [
    ["x-ratelimit-limit-requests", String(tightest.limit)],
    ["x-ratelimit-remaining-requests", String(tightest.remaining)],
    ["x-ratelimit-reset-requests", resetText(tightest.freeAt)],
  ];
}

function budgetHeaders(states: AccountState[]): [string, string][] {
  const lists = { limit: "", remaining: "", reset: "", exceeded: "" };
  for (const { account, budgets } of states)
    for (const { text, unit, remaining, resetsAt, isExceeded } of budgets) {
      const name = `${account.kind} ${text}`;
      lists.limit = listed(lists.limit, name);
      lists.remaining = listed(lists.remaining, amountText(unit, remaining));
      lists.reset = listed(lists.reset, isoTime(resetsAt));
      if (isExceeded) lists.exceeded = listed(lists.exceeded, name);
    }
  if (lists.limit === "") return NONE;
  const headers: [string, string][] = [
    ["x-forecourt-budget-limit", lists.limit],
    ["x-forecourt-budget-remaining", lists.remaining],
    ["x-forecourt-budget-reset", lists.reset],
  ];
  if (lists.exceeded !== "") headers.push(["x-forecourt-budget-exceeded", lists.exceeded]);
  return headers;
}

const listed = (list: string, entry: string) => (list === "" ? entry : `${list}, ${entry}`);
