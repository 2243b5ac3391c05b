// Limits in one line, for people: `60/minute, 2 at once, 10 USD/day`.
import type { Limits } from "./account.ts";
import { budgetText } from "./budget-text.ts";

/** Empty for none. */
export function limitsText({ requestsPerMinute, concurrency, queue, budgets = [] }: Limits): string {
  const parts = [
    ...(requestsPerMinute === undefined ? [] : [`${requestsPerMinute}/minute`]),
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(queue === undefined ? [] : [`${queue} waiting`]),
    ...budgets.map(budgetText),
  ];
  return parts.join(", ");
}
