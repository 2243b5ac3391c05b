// Who calls: keys, tokens, what each may spend, answers to what is sent again, and the notes about all of them that can wait.
import type { Clock, Timers } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { milliseconds } from "../core/units.ts";
import { createAccounts } from "./accounts/accounts.ts";
import { createRollUps } from "./accounts/roll-ups.ts";
import { createAnswers } from "./answers/answer-store.ts";
import type { Catalog } from "./catalog/catalog.ts";
import type { Database } from "./database/open.ts";
import { createKeys } from "./keys/keys.ts";
import { ensureTokenSecret } from "./keys/token-secret.ts";
import { createTokens } from "./keys/tokens.ts";
import { createUsageNotes } from "./keys/usage-notes.ts";
import type { Settings } from "./settings.ts";

type Box = { settings: Pick<Settings, "data" | "usage">; log: Log; catalog: Pick<Catalog, "find">; database: Database };
type Time = { clock: Clock; sweepClock: Clock; timers: Timers };

/** As long as fal keeps them. */
const ANSWERS_KEPT = milliseconds(10 * 60 * 1000);
const DAY_MS = 24 * 60 * 60 * 1000;

export function createCallers({ settings, log, catalog, database }: Box, { clock, sweepClock, timers }: Time) {
  const keys = createKeys({ database, clock });
  const accounts = createAccounts({ database, keys, findModel: (id) => catalog.find(id)?.model, clock });
  const secret = ensureTokenSecret(settings.data);
  const tokens = createTokens({ keys, secret, clock });
  const answers = createAnswers({ database, clock, secret, keptFor: ANSWERS_KEPT });
  const notes = createUsageNotes({ keys, timers, log });
  const retention = milliseconds(settings.usage.retentionDays * DAY_MS);
  const { totals, usage } = accounts;
  const rollUps = createRollUps({ totals, usage, writes: database, retention, clock: sweepClock, timers, log });
  return {
    ...{ keys, accounts, tokens, answers },
    start() {
      notes.start();
      rollUps.start();
    },
    stop() {
      notes.stop();
      rollUps.stop();
    },
  };
}
