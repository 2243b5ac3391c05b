// What remains of a caller's limits, as headers of an answer.
import type { Accounts } from "../control/accounts/accounts.ts";
import { amountText } from "../control/accounts/budget-text.ts";
import type { Key } from "../control/keys/keys.ts";
import type { Face } from "./fal/call.ts";

export const withLimitHeaders =
  (face: Face, accounts: Accounts): Face =>
  async (call) => {
    const response = await face(call);
    addLimitHeaders(response, accounts, call.caller);
    return response;
  };

/** In place. Nothing is added for a caller without limits; budgets are lists, each at the same place in every header. */
function addLimitHeaders({ headers }: Response, accounts: Accounts, caller: Key): void {
  const of = [
    { kind: "key" as const, id: caller.id },
    ...(caller.team ? [{ kind: "team" as const, id: caller.team }] : []),
  ];
  const states = of.filter((account) => Object.keys(accounts.limitsOf(account)).length > 0).map(accounts.stateOf);
  const rates = states.flatMap(({ rate }) => (rate ? [rate] : []));
  const [tightest] = rates.sort((a, b) => a.remaining - b.remaining);
  if (tightest) {
    headers.set("x-ratelimit-limit-requests", String(tightest.limit));
    headers.set("x-ratelimit-remaining-requests", String(tightest.remaining));
    headers.set("x-ratelimit-reset-requests", new Date(tightest.freeAt).toISOString());
  }
  const budgets = states.flatMap(({ account, budgets }) => budgets.map((budget) => ({ ...budget, of: account.kind })));
  if (budgets.length === 0) return;
  const list = (text: (budget: (typeof budgets)[number]) => string) => budgets.map(text).join(", ");
  headers.set(
    "x-forecourt-budget-limit",
    list(({ of, text }) => `${of} ${text}`),
  );
  headers.set(
    "x-forecourt-budget-remaining",
    list(({ unit, remaining }) => amountText(unit, remaining)),
  );
  headers.set(
    "x-forecourt-budget-reset",
    list(({ resetsAt }) => new Date(resetsAt).toISOString()),
  );
  const exceeded = budgets.filter(({ isExceeded }) => isExceeded);
  if (exceeded.length > 0)
    headers.set("x-forecourt-budget-exceeded", exceeded.map(({ of, text }) => `${of} ${text}`).join(", "));
}
