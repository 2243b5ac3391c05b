// SQL of the time that this box went by last.

import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { clockMarkTable } from "./clock-mark.table.ts";

export type ClockMark = { at: Instant; boot?: string; uptimeMs?: number; doubtedMs?: number };

export type ClockMarkStore = {
  find(): ClockMark | undefined;
  save(mark: ClockMark): void;
};

const ONLY = 1;

export function createClockMarkStore({ orm, write }: Pick<Database, "orm" | "write">): ClockMarkStore {
  return {
    find() {
      const row = orm.select().from(clockMarkTable).get();
      if (!row) return undefined;
      const { at, boot, uptimeMs, doubtedMs } = row;
      return {
        at: instant(at),
        ...(boot !== null && { boot }),
        ...(uptimeMs !== null && { uptimeMs }),
        ...(doubtedMs !== null && { doubtedMs }),
      };
    },
    save: ({ at, boot = null, uptimeMs = null, doubtedMs = null }) =>
      write(() => {
        const row = { at, boot, uptimeMs, doubtedMs };
        orm
          .insert(clockMarkTable)
          .values({ id: ONLY, ...row })
          .onConflictDoUpdate({ target: clockMarkTable.id, set: row })
          .run();
      }),
  };
}
