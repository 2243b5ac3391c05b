// Callers that submit without pause while everything goes wrong: some with a key for all, some who race for the last of budgets.
import { PRICED_ECHO } from "../support/priced-echo.ts";

export type Load = {
  /** Ids that were answered. */
  accepted: ReadonlySet<string>;
  /** Budgets that were used up to their last unit. */
  usedUp(): number;
  refused(): number;
  stop(): Promise<void>;
};

const FREE_CALLERS = 2;
/** They share keys, so that they race for the same budgets. */
const CALLERS_WITH_BUDGETS = 4;
/** Fewer than the runner does, so that the end is near when the faults end. */
const PAUSE_MS = 60;
/** After these a used-up key is put aside and another one is made. */
const REFUSALS = 8;
const BUDGETS = { budgets: ["25 requests/hour", "0.40 USD/day", "30 requests/month"] };

/** What was answered with an id is accepted; what failed is tried anew as another job. */
export function startLoad({ origin, key: admin, hook }: { origin: string; key: string; hook: string }): Load {
  const accepted = new Set<string>();
  let isOver = false;
  let [refused, usedUp] = [0, 0];
  let shared: Promise<{ key: string; refusals: number }> | undefined;

  const post = (path: string, key: string, body: unknown) =>
    fetch(`${origin}${path}`, {
      method: "POST",
      headers: { authorization: `Key ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined); // the server is down
  const makeKey = async (): Promise<{ key: string; refusals: number }> => {
    while (!isOver) {
      const answer = await post("/admin/v1/keys", admin, { name: "budgeted", team: "chaos", ...BUDGETS });
      const made = answer?.ok ? ((await answer.json().catch(() => ({}))) as { key?: string }) : {};
      if (made.key !== undefined) return { key: made.key, refusals: 0 };
      await Bun.sleep(PAUSE_MS);
    }
    return { key: admin, refusals: 0 };
  };
  const submit = async (model: string, key: string) => {
    const path = `/queue/${model}?fal_webhook=${encodeURIComponent(hook)}`;
    const answer = await post(path, key, { prompt: `number ${accepted.size}`, steps: 2, step_ms: 10 });
    const { request_id } = answer?.ok ? ((await answer.json().catch(() => ({}))) as { request_id?: string }) : {};
    if (request_id !== undefined) accepted.add(request_id);
    return answer?.status;
  };
  const callFreely = async () => {
    while (!isOver) {
      await submit("forecourt/echo", admin);
      await Bun.sleep(PAUSE_MS);
    }
  };
  const callWithBudget = async () => {
    while (!isOver) {
      shared ??= makeKey();
      const mine = shared;
      const holder = await mine;
      if ((await submit(PRICED_ECHO, holder.key)) === 403) {
        refused++;
        if (++holder.refusals === REFUSALS) {
          usedUp++;
          shared = undefined;
        }
      }
      await Bun.sleep(PAUSE_MS);
    }
  };
  const calls = [
    ...Array.from({ length: FREE_CALLERS }, callFreely),
    ...Array.from({ length: CALLERS_WITH_BUDGETS }, callWithBudget),
  ];
  return {
    accepted,
    usedUp: () => usedUp,
    refused: () => refused,
    async stop() {
      isOver = true;
      await Promise.all(calls);
    },
  };
}
