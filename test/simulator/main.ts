// `bun run simulate`: cold starts and waits of LRU, of our policy and of one that knows the future.
import { bytes } from "../../src/core/units.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { clairvoyant, leastRecentlyUsed, ourPolicy } from "./policies.ts";
import { type Outcome, simulate } from "./simulate.ts";
import { createModels, createTraffic } from "./traffic.ts";

const BUDGET = bytes(72 * 1024 ** 3);
const [requests = 8_000] = process.argv.slice(2).map(Number);
/** Requests in a second that so many GPUs get: about half of what they could do if nothing had to be loaded. */
const boxes = [
  { gpus: 1, rate: 0.1 },
  { gpus: 4, rate: 0.6 },
  { gpus: 8, rate: 1.4 },
  { gpus: 64, rate: 12 },
];

const print = (line: string) => process.stdout.write(`${line}\n`);

function row({ policy, coldStarts, loads, waitMs, decideMs }: Outcome): string {
  const cells = [
    policy.padEnd(16),
    `${(100 * coldStarts).toFixed(1)} %`.padStart(8),
    String(loads).padStart(7),
    `${(waitMs.p50 / 1000).toFixed(2)} s`.padStart(9),
    `${(waitMs.p99 / 1000).toFixed(1)} s`.padStart(9),
    `${decideMs.p50.toFixed(3)} ms`.padStart(10),
  ];
  return cells.join(" ");
}

for (const { gpus, rate } of boxes) {
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
  print(`\n${gpus} GPUs, ${rate} requests/s, ${hours.toFixed(1)} h, the favourite changes 12 times`);
  print("policy           cold     loads  p50 wait  p99 wait  decide p50");
  const policies = [
    leastRecentlyUsed(models),
    ourPolicy(models),
    clairvoyant(models, traffic, 0),
    clairvoyant(models, traffic, 0.5),
    clairvoyant(models, traffic, 1),
  ];
  for (const policy of policies) print(row(simulate({ policy, models, traffic, box: { gpus, budget: BUDGET } })));
}
