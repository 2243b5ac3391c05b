// A lower bound: whatever is kept in memory, with all that is to come known, there are no fewer cold starts than these.
import type { Box } from "./simulate.ts";
import { type Arrival, FILLING, type SimulatedModel } from "./traffic.ts";

/**
 * For policies that load a model for a job only, and when it comes: what may be loaded ahead of every job needs no cold starts at
 * all, and what lets a job wait until the next one comes has fewer. Memory has a price, for which each model by itself is kept as
 * is best for it; what all pay together, less the price of the memory that there is, is below the cold starts of any such policy,
 * whatever the price (Lagrange). The best price is looked for. That devices are apart, and that jobs which are served take memory
 * too, is left out, so no policy need come near it.
 */
export function leastColdStarts(models: SimulatedModel[], traffic: Arrival[], box: Box): number {
  const counted = Math.floor(FILLING * traffic.length);
  const since = traffic[counted]?.at ?? 0;
  const memory = box.gpus * box.budget * ((traffic.at(-1)?.at ?? 0) - since);
  const jobs = models.map(() => [] as { at: number; counts: number }[]);
  for (const [index, { model, at }] of traffic.entries())
    jobs[model]?.push({ at: Math.max(at, since), counts: index >= counted ? 1 : 0 });
  const atPrice = (price: number) =>
    models.reduce(
      (sum, { footprint, loadMs }, model) => sum + leastOf(jobs[model] ?? [], { price: price * footprint, loadMs }),
      -price * memory,
    );
  // Concave in the price. It is looked for around that at which all the memory costs as much as a cold start of every job.
  const middle = traffic.length / memory;
  let [low, high] = [middle / 1e5, middle * 1e5];
  while (high / low > 1.001) {
    const third = (high / low) ** (1 / 3);
    if (atPrice(low * third) < atPrice(high / third)) low *= third;
    else high /= third;
  }
  return atPrice(low) / (traffic.length - counted);
}

/** Cold starts and the price of memory, of one model's jobs. `price`: of the model's memory for a millisecond. */
function leastOf(jobs: { at: number; counts: number }[], { price, loadMs }: { price: number; loadMs: number }): number {
  let next = jobs.length;
  /** Of the jobs from each on, where the model is in memory when it comes, and where it is not. */
  const [kept, absent] = [new Float64Array(jobs.length + 1), new Float64Array(jobs.length + 1)];
  const cold = new Float64Array(jobs.length + 1);
  for (let each = jobs.length - 1; each >= 0; each--) {
    const { at = 0, counts = 0 } = jobs[each] ?? {};
    cold[each] = (cold[each + 1] ?? 0) + counts;
    const until = (other: number) => price * ((jobs[other]?.at ?? Number.POSITIVE_INFINITY) - at);
    kept[each] = Math.min(absent[each + 1] ?? 0, until(each + 1) + (kept[each + 1] ?? 0));
    // Those that come while it loads wait for it as well.
    while ((jobs[next - 1]?.at ?? 0) >= at + loadMs) next--;
    const loaded = (cold[each] ?? 0) - (cold[next] ?? 0) + until(next) + (kept[next] ?? 0);
    absent[each] = Math.min(counts + (absent[each + 1] ?? 0), loaded);
  }
  return absent[0] ?? 0;
}
