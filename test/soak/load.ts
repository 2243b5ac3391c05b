// A mixed load that is gentle: a few callers, each of whom does one thing at a time, chosen by chance, and rests in between.
import * as box from "./box-callers.ts";
import type { Caller, Scenario } from "./caller.ts";
import * as jobs from "./job-callers.ts";
import { Excused } from "./tally.ts";

/** `share`: how often each is chosen, beside the others. */
type Scenarios = Record<string, { share: number; run: Scenario }>;

const SCENARIOS: Scenarios = {
  direct: { share: 20, run: jobs.direct },
  queued: { share: 12, run: jobs.queued },
  followed: { share: 3, run: jobs.followed },
  cancelled: { share: 4, run: jobs.cancelled },
  drawn: { share: 6, run: jobs.drawn },
  swapped: { share: 1, run: jobs.swapped },
  streamed: { share: 4, run: jobs.streamed },
  "stream cut": { share: 4, run: jobs.streamCut },
  "run cut": { share: 4, run: jobs.runCut },
  realtime: { share: 3, run: jobs.realtime },
  "realtime cut": { share: 3, run: jobs.realtimeCut },
  chatted: { share: 5, run: box.chatted },
  "chat cut": { share: 3, run: box.chatCut },
  responded: { share: 2, run: box.responded },
  uploaded: { share: 5, run: box.uploaded },
  keyed: { share: 3, run: box.keyed },
  listed: { share: 2, run: box.listed },
  mistaken: { share: 3, run: box.mistaken },
  conducted: { share: 2, run: box.conducted },
  tooled: { share: 3, run: box.tooled },
};
const CALLERS = 4;
const REST_MS = 450;

export type SoakLoad = {
  /** How often each scenario came to its end. */
  done(): Record<string, number>;
  /** Resolves when the last one has. */
  stop(): Promise<void>;
};

/** Each scenario once in the order of the table, so that a short run knows all; then by chance. */
export function startSoakLoad(caller: Caller, more: Scenarios = {}): SoakLoad {
  const scenarios = { ...SCENARIOS, ...more };
  const done: Record<string, number> = Object.fromEntries(Object.keys(scenarios).map((name) => [name, 0]));
  const names = Object.entries(scenarios).flatMap(([name, { share }]) => Array.from({ length: share }, () => name));
  const first = Object.keys(scenarios);
  let isOver = false;
  const act = async () => {
    while (!isOver || first.length > 0) {
      const name = first.shift() ?? names[Math.floor(caller.random() * names.length)] ?? "direct";
      try {
        await scenarios[name]?.run(caller);
        done[name] = (done[name] ?? 0) + 1;
      } catch (error) {
        if (!(error instanceof Excused)) caller.tally.wrong(name, String(error));
      }
      await Bun.sleep(caller.random() * 2 * REST_MS); // how busy the callers are, not a signal
    }
  };
  const callers = Array.from({ length: CALLERS }, act);
  return {
    done: () => done,
    async stop() {
      isOver = true;
      await Promise.all(callers);
    },
  };
}
