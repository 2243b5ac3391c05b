// What is worth an alert: from facts about the box to findings, each once in its window. Pure.
import { isoTime } from "../../core/iso-time.ts";
import { type Nanos, nanos, nanosText } from "../../core/money.ts";
import type { Instant } from "../../core/units.ts";
import type { Account } from "../accounts/account.ts";
import { amountText } from "../accounts/budget-text.ts";
import type { Spender, SpendIn } from "../accounts/spend-store.ts";
import { type WindowName, windowAt } from "../accounts/windows.ts";

export type SpendRule = { limit: Nanos; currency: string; window: WindowName };

export type Rules = {
  keySpend: SpendRule[];
  teamSpend: SpendRule[];
  boxSpend: SpendRule[];
  /** Shares of a budget. */
  budgetPercents: number[];
  /** Of jobs that ended within the last minutes; 0 is off, as below. */
  errorPercent: number;
  queueWaitSeconds: number;
  diskFreePercent: number;
};

export type Facts = {
  now: Instant;
  spendIn: SpendIn;
  /** What people call a key; undefined for one that is gone. */
  nameOfKey: (id: string) => string | undefined;
  /** Of all accounts, as they stand now. */
  budgets: BudgetFact[];
  /** Jobs that ended within the last minutes. */
  ended: { all: number; failed: number };
  /** Milliseconds that the longest waiting job waits. */
  oldestWaitMs: number;
  /** Undefined when it could not be found out. */
  diskFreePercent: number | undefined;
  /** What is on it of this box, where it is low; empty where that is not known. */
  diskTakenBy: string;
  /** Devices that were lost since the last look, with what their runners said. */
  lostDevices: { device: string; reason: string }[];
};

export type BudgetFact = {
  account: Account;
  unit: string;
  /** As in `Amounts`. */
  amount: number;
  spent: number;
  window: WindowName;
  /** The budget in words. */
  text: string;
};

export const RULE_NAMES = [
  "key-spend",
  "team-spend",
  "box-spend",
  "budget-used",
  "error-rate",
  "queue-wait",
  "disk-low",
  "device-lost",
] as const;

export type RuleName = (typeof RULE_NAMES)[number];

/** The same rule, subject and window is the same alert. */
export type Finding = {
  rule: RuleName;
  /** Tells limits of the same rule apart. */
  limit?: string;
  /** Id of a key, name of a team or device; empty for the box. */
  subject: string;
  windowStart: Instant;
  message: string;
  details: Record<string, unknown>;
};

/** So few jobs say nothing about a rate. */
const FEWEST_JOBS = 20;

export const SPEND_PATTERN = "^\\d+(\\.\\d+)? [A-Z]{3}/(hour|day|month)$";

/** `300 USD/day`, checked against the pattern above. */
export function readSpendRule(text: string): SpendRule {
  const [amount = "", rest = ""] = text.split(" ");
  const [currency = "", window = "day"] = rest.split("/");
  return { limit: nanos(Number(amount)), currency, window: window as WindowName };
}

export function findAlerts(facts: Facts, rules: Rules): Finding[] {
  return [
    ...spendFindings(facts, { name: "key-spend", rules: rules.keySpend, by: "key" }),
    ...spendFindings(facts, { name: "team-spend", rules: rules.teamSpend, by: "team" }),
    ...spendFindings(facts, { name: "box-spend", rules: rules.boxSpend, by: "all" }),
    ...budgetFindings(facts, rules),
    ...boxFindings(facts, rules),
  ];
}

type SpendQuestion = { name: RuleName; rules: SpendRule[]; by: Spender };

/** A request counts when it came in and costs when it ends: what was spent in a window is looked at for so long after its end. */
const LATE_MS = 3_600_000;

function spendFindings({ now, spendIn, nameOfKey }: Facts, { name, rules, by }: SpendQuestion): Finding[] {
  return rules.flatMap(({ limit, currency, window }) => {
    const current = windowAt(now, window);
    const late = windowAt(now - LATE_MS, window);
    return (late.start < current.start ? [late, current] : [current]).flatMap((span) => {
      const when = span === current ? `this ${window}` : `in the ${window} from ${isoTime(span.start)}`;
      const over = spendIn(by, { ...span, name: window }).filter(
        (spend) => spend.currency === currency && spend.cost > limit,
      );
      return over.map(({ subject, cost }) => {
        const [spent, bound] = [nanosText(cost), nanosText(limit)];
        const keyName = by === "key" ? nameOfKey(subject) : undefined;
        return {
          rule: name,
          limit: `${bound} ${currency}/${window}`,
          subject,
          windowStart: span.start,
          message: `${called(subject, keyName) || "The box"} spent ${spent} ${currency} ${when}, more than ${bound}.`,
          details: { ...(keyName !== undefined && { name: keyName }), spent, limit: bound, currency, window },
        };
      });
    });
  });
}

/** Ids tell nothing to whoever reads this at night. */
const called = (id: string, name: string | undefined) => (name === undefined ? id : `${name} (${id})`);

/** The highest share that was reached, of each budget. */
function budgetFindings({ now, budgets, nameOfKey }: Facts, { budgetPercents }: Rules): Finding[] {
  return budgets.flatMap(({ account, unit, amount, spent, window, text }) => {
    const reached = budgetPercents.filter((percent) => amount > 0 && spent * 100 >= amount * percent);
    if (reached.length === 0) return [];
    const percent = Math.max(...reached);
    const used = amountText(unit, spent);
    const name = account.kind === "key" ? nameOfKey(account.id) : undefined;
    return [
      {
        rule: "budget-used" as const,
        limit: `${percent} % of ${text}`,
        subject: `${account.kind} ${account.id}`,
        windowStart: windowAt(now, window).start,
        message: `The ${account.kind} ${called(account.id, name)} has used ${used} of its ${text}: ${percent} % or more.`,
        details: {
          account: account.kind,
          id: account.id,
          ...(name !== undefined && { name }),
          budget: text,
          spent: used,
          percent,
          window,
        },
      },
    ];
  });
}

function boxFindings(facts: Facts, rules: Rules): Finding[] {
  const { now, ended, oldestWaitMs, diskFreePercent, diskTakenBy, lostDevices } = facts;
  const hour = windowAt(now, "hour").start;
  const findings: Finding[] = lostDevices.map(({ device, reason }) => ({
    rule: "device-lost",
    subject: device,
    windowStart: hour,
    message: `The device ${device} was lost: ${reason}`,
    details: { device, reason },
  }));
  const add = (rule: RuleName, message: string, details: Record<string, unknown>) =>
    findings.push({ rule, subject: "", windowStart: hour, message, details });
  const percent = ended.all === 0 ? 0 : (100 * ended.failed) / ended.all;
  if (rules.errorPercent > 0 && ended.all >= FEWEST_JOBS && percent >= rules.errorPercent)
    add("error-rate", `${ended.failed} of the last ${ended.all} requests failed.`, { percent, ...ended });
  const waited = oldestWaitMs / 1000;
  if (rules.queueWaitSeconds > 0 && waited >= rules.queueWaitSeconds)
    add("queue-wait", `A request waits for ${Math.round(waited)} seconds.`, { seconds: Math.round(waited) });
  if (diskFreePercent !== undefined && diskFreePercent < rules.diskFreePercent)
    add(
      "disk-low",
      `${diskFreePercent.toFixed(1)} % of the disk is free.${diskTakenBy && ` The data directory takes: ${diskTakenBy}.`}`,
      { freePercent: diskFreePercent, takenBy: diskTakenBy },
    );
  return findings;
}
