// Who or what is counted: a key, the team it belongs to, the model it calls; and what each may take.
import type { Micros, Nanos } from "../../core/money.ts";
import type { WindowName } from "./windows.ts";

export const ACCOUNT_KINDS = ["key", "team", "model"] as const;
export type AccountKind = (typeof ACCOUNT_KINDS)[number];
export type Account = { kind: AccountKind; id: string };

/**
 * Integers by unit: nanos under a currency (`USD`), micros under everything that pipelines count, in the plural
 * (`images`, `tokens`), and under `requests` and `gpu_seconds`.
 */
export type Amounts = Record<string, Nanos | Micros>;

export type Budget = {
  /** As in `Amounts`. */
  unit: string;
  amount: Nanos | Micros;
  window: WindowName;
  /** Going over it is told, not refused. */
  isSoft?: true;
};

export type Limits = {
  requestsPerMinute?: number;
  /** Jobs that run at once; further ones wait, and callers who wait for their answer are refused. */
  concurrency?: number;
  /** Jobs that wait. */
  queue?: number;
  budgets?: Budget[];
  /** A job may come to more than what was set aside for it; without this it is never charged more. */
  mayExceed?: true;
};

/** Whether there is any limit in it. */
export function isLimiting(limits: Limits): boolean {
  for (const _ in limits) return true;
  return false;
}

export const isCurrency = (unit: string) => /^[A-Z]{3}$/.test(unit);

/** The accounts that a job of this key on this model counts for. */
export const accountsOf = ({
  key,
  team,
  model,
}: {
  key: string;
  team?: string | undefined;
  model: string;
}): Account[] => [
  { kind: "key", id: key },
  ...(team === undefined ? [] : [{ kind: "team" as const, id: team }]),
  { kind: "model", id: model },
];
