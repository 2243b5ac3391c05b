// Keys, accounts and the job store over one real database, with a hand in the place of the scheduler.
import type { Account, Limits } from "../../src/control/accounts/account.ts";
import { parseBudget } from "../../src/control/accounts/budget-text.ts";
import { type Database, openDatabase } from "../../src/control/database/open.ts";
import type { Submission } from "../../src/control/jobs/submission.ts";
import type { NewKey } from "../../src/control/keys/key.ts";
import { createKeys } from "../../src/control/keys/keys.ts";
import type { Job } from "../../src/core/job.ts";
import type { Units } from "../../src/core/pipeline.ts";
import type { Model } from "../../src/engine/model.ts";
import { createJobBoard, echoEntry } from "./job-board.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";

/** Priced at two cents a request unless changed. */
export const pricedModel = (change: Partial<Model> = {}): Model => ({
  ...echoEntry.model,
  price: { unit: "request", amount: 0.02, currency: "USD", also: [] },
  ...change,
});

export type LimitTexts = Omit<Limits, "budgets"> & { budgets?: string[] };
export const limits = ({ budgets, ...others }: LimitTexts): Limits => ({
  ...others,
  ...(budgets && { budgets: budgets.map(parseBudget) }),
});

export function createAccountBoard(given: { database?: Database; clock?: TestClock; model?: Model } = {}) {
  const { database = openDatabase({ file: ":memory:" }), clock = createTestClock(), model = pricedModel() } = given;
  const keys = createKeys({ database, clock });
  const board = createJobBoard({ database, clock, keys, findModel: (id) => (id === model.id ? model : undefined) });
  const { work, runner, accounts } = board;
  return {
    ...board,
    keys,
    model,
    keyOf: (texts: LimitTexts = {}, key: Partial<NewKey> = {}) => {
      const { id } = keys.create({ name: "app", scope: "api", ...key }).key;
      accounts.store.setLimits({ kind: "key", id }, limits(texts));
      return id;
    },
    limit: (account: Account, texts: LimitTexts) => accounts.store.setLimits(account, limits(texts)),
    submit: (change: Partial<Submission> & Pick<Submission, "key">) =>
      board.submit({ model, endpoint: model.id, ...change }),
    /** Runs it to its end. */
    finish({ id }: Job, units: Units = { requests: 1 }) {
      work.claim(id, { runner, loadMs: 0 });
      return work.finish(id, { output: {}, units, device: "cpu" });
    },
    left: (account: Account) => accounts.stateOf(account).budgets.map(({ remaining, unit }) => `${remaining} ${unit}`),
  };
}
