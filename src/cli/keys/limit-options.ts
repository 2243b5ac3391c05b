// Options of commands that give limits to a key, a team or a model.
import type { Command } from "commander";
import type { Limits } from "../../control/accounts/account.ts";
import { type LimitWords, readLimits } from "../../control/accounts/account-words.ts";

export type LimitFlags = { rpm?: number; concurrency?: number; queue?: number; budget?: string[]; mayExceed?: true };

export const withLimits = (command: Command): Command =>
  command
    .option("--rpm <n>", "requests in any sixty seconds", Number)
    .option("--concurrency <n>", "requests that run at once; further ones wait", Number)
    .option("--queue <n>", "requests that wait, beside those that may run at once", Number)
    .option("--budget <budget>", "e.g. '10 USD/day' or '500 requests/month soft'; repeatable", collect)
    .option("--may-exceed", "a request may come to more than was set aside for it");

const collect = (value: string, others: string[] = []) => [...others, value];

/** Throws `invalid_input` and `bad_request` for what is no limit. */
export const limitsOfFlags = (flags: LimitFlags): Limits => readLimits(limitWordsOf(flags));

export const limitWordsOf = ({ rpm, concurrency, queue, budget, mayExceed }: LimitFlags): LimitWords => ({
  ...(rpm !== undefined && { requests_per_minute: rpm }),
  ...(concurrency !== undefined && { concurrency }),
  ...(queue !== undefined && { queue }),
  ...(budget && { budgets: budget }),
  ...(mayExceed && { may_exceed: true }),
});
