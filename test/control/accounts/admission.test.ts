// The rule of admission, case by case: who is refused and why, and what is set aside of each unit.
import { expect, test } from "bun:test";
import { admit, type Question, type Standing } from "../../../src/control/accounts/admission.ts";
import { budgetText } from "../../../src/control/accounts/budget-text.ts";
import { windowAt } from "../../../src/control/accounts/windows.ts";
import { micros, nanos } from "../../../src/core/money.ts";
import { type Instant, instant } from "../../../src/core/units.ts";
import { type LimitTexts, limits } from "../../support/account-board.ts";

const NOW = instant(Date.UTC(2028, 1, 28, 23, 30));

type Words = LimitTexts & {
  /** Requests of the last minute. */
  rate?: number;
  waiting?: number;
  running?: number;
  /** By the budget's text; spent and set aside. */
  used?: Record<string, [number, number]>;
};

function standing({ rate = 0, waiting = 0, running = 0, used = {}, ...texts }: Words): Standing {
  return {
    account: { kind: "key", id: "k" },
    label: "key app",
    limits: limits(texts),
    rate: (limit) => ({ remaining: Math.max(0, limit - rate), freeAt: instant(NOW + 5_000) }),
    waiting: () => waiting,
    running: () => running,
    counter(budget) {
      const [spent = 0, reserved = 0] = used[budgetText(budget)] ?? [];
      return { ...windowAt(NOW, budget.window), spent, reserved };
    },
  };
}

type Asked = {
  is?: Partial<Pick<Question, "isDirect" | "isOver">>;
  /** The most of each unit; units that are left out cost nothing. */
  most?: Record<string, number>;
};

const ask = (standings: Words[], { is, most = { requests: micros(1), USD: nanos(0.02) } }: Asked) =>
  admit({
    ...{ isDirect: false, isOver: false, currency: "USD", now: NOW as Instant, ...is },
    standings: standings.map(standing),
    ceiling: (unit) => most[unit] ?? 0,
  });

function refusalOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it was admitted");
}

const day = "1 USD/day";
const unknown = { USD: Number.POSITIVE_INFINITY };

test.each<[string, Words[], Asked, Record<string, number>]>([
  ["nothing without budgets", [{ requestsPerMinute: 1, concurrency: 1, queue: 1 }], {}, {}],
  [
    "the most that it can come to",
    [{ budgets: [day, "5 requests/hour"] }],
    {},
    { USD: nanos(0.02), requests: micros(1) },
  ],
  ["the last cent", [{ budgets: [day], used: { [day]: [nanos(0.5), nanos(0.48)] } }], {}, { USD: nanos(0.02) }],
  [
    "nothing for a soft budget, though it is used up",
    [{ budgets: [`${day} soft`], used: { [`${day} soft`]: [nanos(9), 0] } }],
    {},
    {},
  ],
  ["nothing of a unit that it cannot come to, and says so", [{ budgets: ["5 images/day"] }], {}, { images: 0 }],
  [
    "all that is left of what nobody can foresee",
    [{ budgets: [day], used: { [day]: [nanos(0.5), nanos(0.1)] } }],
    { most: unknown },
    { USD: nanos(0.4) },
  ],
  [
    "of several budgets what is left of the one that has least",
    [{ budgets: [day, "3 USD/month"], used: { "3 USD/month": [nanos(2.9), 0] } }],
    { most: unknown },
    { USD: nanos(0.1) },
  ],
  [
    "whichever of them comes first",
    [{ budgets: ["3 USD/month"], used: { "3 USD/month": [nanos(2.9), 0] } }, { budgets: [day] }],
    { most: unknown },
    { USD: nanos(0.1) },
  ],
  [
    "nothing of a currency that its price is not in, when it is free",
    [{ budgets: ["1 EUR/day", "5 requests/hour"] }],
    { most: { requests: micros(1) } },
    { requests: micros(1) },
  ],
  [
    "nothing for a job that is over as it begins",
    [{ budgets: [day], used: { [day]: [nanos(1), 0] } }],
    { is: { isOver: true } },
    {},
  ],
  [
    "nothing of the queue for such a job",
    [{ queue: 1, waiting: 1, concurrency: 1, running: 1 }],
    { is: { isOver: true, isDirect: true } },
    {},
  ],
])("a job sets aside %s", (_, standings, asked, amounts) => {
  expect(ask(standings, asked)).toEqual(amounts as never);
});

test.each<[string, Words[], Asked, object]>([
  [
    "at its rate",
    [{ requestsPerMinute: 2, rate: 2 }],
    {},
    { code: "rate_limited", details: { limit: "2 requests/minute", retryAfterSeconds: 5 } },
  ],
  [
    "at its rate, though it is over as it begins",
    [{ requestsPerMinute: 2, rate: 2 }],
    { is: { isOver: true } },
    { code: "rate_limited" },
  ],
  ["by the second account's rate, too", [{}, { requestsPerMinute: 1, rate: 1 }], {}, { code: "rate_limited" }],
  ["when as many run", [{ concurrency: 2, running: 2 }], { is: { isDirect: true } }, { code: "concurrency_limited" }],
  [
    "when some run and others wait before it",
    [{ concurrency: 2, running: 1, waiting: 1 }],
    { is: { isDirect: true } },
    { code: "concurrency_limited" },
  ],
  ["when the queue is full", [{ queue: 2, waiting: 2 }], {}, { code: "queue_full", details: { limit: "2 queued" } }],
  [
    "when the queue and all places are full",
    [{ queue: 2, concurrency: 3, running: 1, waiting: 4 }],
    {},
    { code: "queue_full" },
  ],
  [
    "when more run than may, and the queue is full",
    [{ queue: 2, concurrency: 1, running: 3, waiting: 2 }],
    {},
    { code: "queue_full" },
  ],
  ["without a queue when one waits for its moment", [{ queue: 0, waiting: 1 }], {}, { code: "queue_full" }],
  [
    "when a nano is missing",
    [{ budgets: [day], used: { [day]: [nanos(0.98) + 1, 0] } }],
    {},
    {
      code: "budget_exhausted",
      details: { limit: day, resetsAt: "2028-02-29T00:00:00.000Z", retryAfterSeconds: 1800 },
    },
  ],
  [
    "for a moment when all that is missing is set aside for others",
    [{ budgets: [day], used: { [day]: [nanos(0.98), 1] } }],
    {},
    { code: "budget_exhausted", details: { comesBack: true, retryAfterSeconds: 1 } },
  ],
  [
    "until the window ends when it would be missing without the others, too",
    [{ budgets: [day], used: { [day]: [nanos(0.98) + 1, 1] } }],
    {},
    { code: "budget_exhausted", details: { retryAfterSeconds: 1800 } },
  ],
  [
    "by the budget of which nothing comes back, though another one lasts longer",
    [
      {
        budgets: ["1 USD/month", day],
        used: { "1 USD/month": [0, nanos(1)], [day]: [nanos(1), 0] },
      },
    ],
    {},
    { code: "budget_exhausted", details: { limit: day, retryAfterSeconds: 1800 } },
  ],
  [
    "when nothing is left for what nobody can foresee",
    [{ budgets: [day], used: { [day]: [nanos(0.5), nanos(0.5)] } }],
    { most: unknown },
    { code: "budget_exhausted" },
  ],
  [
    "when more was used than there is, though it may come to nothing anybody can foresee",
    [{ budgets: [day], used: { [day]: [nanos(2), 0] } }],
    { most: unknown },
    { code: "budget_exhausted" },
  ],
  [
    "by the budget that lasts longest",
    [
      {
        budgets: ["1 requests/hour", "1 requests/month", "1 requests/day"],
        used: {
          "1 requests/hour": [micros(1), 0],
          "1 requests/day": [micros(1), 0],
          "1 requests/month": [micros(1), 0],
        },
      },
    ],
    {},
    { code: "budget_exhausted", details: { limit: "1 requests/month", resetsAt: "2028-03-01T00:00:00.000Z" } },
  ],
  [
    "for good by a budget in a currency that its price is not in",
    [{ budgets: ["1 EUR/day"] }],
    {},
    {
      code: "budget_exhausted",
      message: expect.stringContaining("this model's price is in USD"),
      details: { limit: "1 EUR/day" },
    },
  ],
])("a job is refused %s", (_, standings, asked, error) => {
  expect(refusalOf(() => ask(standings, asked))).toMatchObject(error);
});

test.each<[string, Words, Asked["is"]]>([
  ["below its rate", { requestsPerMinute: 2, rate: 1 }, {}],
  ["while fewer run and wait than may run", { concurrency: 2, running: 1 }, { isDirect: true }],
  ["to wait, however many run", { concurrency: 2, running: 2 }, {}],
  ["while there is a place in the queue", { queue: 2, waiting: 1 }, {}],
  ["while it may run at once, though the queue is full", { queue: 2, concurrency: 3, running: 1, waiting: 3 }, {}],
  ["without a queue, while none waits", { queue: 0 }, {}],
])("a job comes in %s", (_, words, is) => {
  expect(ask([words], { is: is ?? {} })).toEqual({});
});
