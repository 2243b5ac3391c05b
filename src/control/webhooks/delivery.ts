// One attempt for one webhook, from a row that is due to an outcome that is on disk.
import type { Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import type { WebhookRow } from "./outbox-store.ts";
import type { Reply } from "./post.ts";
import { attemptTimeout } from "./retry-schedule.ts";

/** `lost`: the outcome could not be written down, so that the attempt will be made again. Never throws. */
export type Deliver = (webhook: WebhookRow) => Promise<"settled" | "abandoned" | "lost">;

export type DeliveryParts = {
  writes: Pick<GroupCommit, "committed">;
  /** One signed attempt. */
  attempt: (webhook: WebhookRow, signal: AbortSignal) => Promise<Reply>;
  settle: (webhook: WebhookRow, reply: Reply) => void;
  timers: Timers;
  log: Log;
  /** Ends attempts that are under way; they count for nothing. */
  stopping: AbortSignal;
};

export function createDelivery({ writes, attempt, settle, timers, log, stopping }: DeliveryParts): Deliver {
  const timed = async (webhook: WebhookRow): Promise<Reply> => {
    const timeout = attemptTimeout(webhook.attempts);
    const tooLong = new AbortController();
    const cancel = timers.after(timeout, () => tooLong.abort(new Error(`no answer within ${timeout / 1000} seconds`)));
    try {
      return await attempt(webhook, AbortSignal.any([tooLong.signal, stopping]));
    } finally {
      cancel();
    }
  };
  return async (webhook) => {
    try {
      // An end that is not yet on disk is not told.
      await writes.committed();
      const reply = await timed(webhook);
      if (stopping.aborted && reply.type !== "accepted") return "abandoned";
      settle(webhook, reply);
      await writes.committed();
      return "settled";
    } catch (error) {
      log.error("the outcome of a webhook could not be written down", { requestId: webhook.job, error: String(error) });
      return "lost";
    }
  };
}
