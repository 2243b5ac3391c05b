// How an account stands: what it may take, has taken and has left, and when that begins anew.
import type { Instant } from "../../core/units.ts";
import type { Account, Budget, Limits } from "./account.ts";
import { budgetText } from "./budget-text.ts";
import type { Counter } from "./counters.ts";
import type { Rate } from "./rates.ts";

export type BudgetState = Budget & {
  text: string;
  spent: number;
  reserved: number;
  /** Never below zero. */
  remaining: number;
  isExceeded: boolean;
  resetsAt: Instant;
};

export type AccountState = {
  account: Account;
  limits: Limits;
  rate?: Rate & { limit: number };
  budgets: BudgetState[];
};

type Facts = { account: Account; limits: Limits; counter(budget: Budget): Counter; rate(limit: number): Rate };

export function stateOf({ account, limits, counter, rate }: Facts): AccountState {
  const { requestsPerMinute: limit, budgets = [] } = limits;
  return {
    account,
    limits,
    ...(limit !== undefined && { rate: { ...rate(limit), limit } }),
    budgets: budgets.map((budget) => {
      const { spent, reserved, end } = counter(budget);
      const left = budget.amount - spent - reserved;
      return {
        ...budget,
        text: budgetText(budget),
        spent,
        reserved,
        remaining: Math.max(0, left),
        isExceeded: spent > budget.amount,
        resetsAt: end,
      };
    }),
  };
}
