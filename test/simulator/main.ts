// `bun run simulate`: cold starts and waits of LRU, of our policy and of one that knows the future.
import { bytes } from "../../src/core/units.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { clairvoyant, leastRecentlyUsed, ourPolicy } from "./policies.ts";
import { type Outcome, simulate } from "./simulate.ts";
import { createModels, createTraffic } from "./traffic.ts";

const GIB = 1024 ** 3;
/** Share of the requests that are played: 0.1 is a quick look. */
const [share = 1] = process.argv.slice(2).map(Number);
/**
 * Requests in a second that so many GPUs get: about half of what they could do if nothing had to be loaded. 64 cards of
 * 80 GB would hold all 600 models, so that there would be nothing to decide; those of 40 GB hold half of them.
 */
const boxes = [
  { gpus: 1, rate: 0.1, budget: 72, requests: 10_000 },
  { gpus: 4, rate: 0.6, budget: 72, requests: 20_000 },
  { gpus: 8, rate: 1.4, budget: 72, requests: 30_000 },
  { gpus: 64, rate: 12, budget: 40, requests: 60_000 },
];

const print = (line: string) => process.stdout.write(`${line}\n`);

function row({ policy, coldStarts, coldMs, loads, waitMs, decideMs }: Outcome): string {
  const cells = [
    policy.padEnd(16),
    `${(100 * coldStarts).toFixed(1)} %`.padStart(8),
    String(loads).padStart(7),
    `${(coldMs / 1000).toFixed(2)} s`.padStart(11),
    `${(waitMs.p50 / 1000).toFixed(2)} s`.padStart(9),
    `${(waitMs.p99 / 1000).toFixed(1)} s`.padStart(9),
    `${decideMs.p50.toFixed(3)} ms`.padStart(10),
  ];
  return cells.join(" ");
}

for (const { gpus, rate, budget, requests: all } of boxes) {
  const requests = Math.round(share * all);
  const models = createModels(600, seededRandom(7));
  const hours = requests / rate / 3600;
  const traffic = createTraffic({
    models: 600,
    requests,
    rate,
    shiftMs: (hours / 12) * 3.6e6,
    sitting: 4,
    dice: seededRandom(gpus),
  });
  print(
    `\n${gpus} GPUs of ${budget} GiB for models, ${rate} requests/s, ${hours.toFixed(1)} h, the favourite changes 12 times`,
  );
  print("policy               cold   loads  mean load  p50 wait  p99 wait decide p50");
  const policies = [leastRecentlyUsed(models), ourPolicy(models), clairvoyant(models, traffic, 0)];
  const box = { gpus, budget: bytes(budget * GIB), hasReplicas: true };
  for (const policy of policies) print(row(simulate({ policy, models, traffic, box })));
}
