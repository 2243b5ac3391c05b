// How long a pipeline's own code works between two turns of the event loop, in which a runner hears of cancels.
import type { Assets, Graph } from "../../../src/core/pipeline.ts";
import { cpuOfThread } from "../../support/yardstick.ts";

/** Milliseconds of the longest stretch of work between two turns of the event loop, without what graphs took and their opening. */
export function watchTurns() {
  let [most, isOver, before, inGraphs, opening] = [0, false, cpuOfThread(), 0, 0];
  const look = () => {
    const now = cpuOfThread();
    if (opening === 0) most = Math.max(most, now - before - inGraphs);
    [before, inGraphs] = [now, 0];
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const timed = (graph: Graph): Graph => ({
    ...graph,
    run(inputs) {
      const begin = cpuOfThread();
      const running = graph.run(inputs);
      inGraphs += cpuOfThread() - begin;
      return running;
    },
  });
  return {
    /** The same graphs, that do not count. */
    apart: <Given extends Assets>(assets: Given): Given => ({
      ...assets,
      async graph(...wanted) {
        opening++;
        const graph = await assets.graph(...wanted);
        await new Promise<void>((resolve) => setImmediate(resolve));
        opening--;
        return timed(graph);
      },
    }),
    async longest(): Promise<number> {
      isOver = true;
      await new Promise<void>((resolve) => setImmediate(resolve));
      return most;
    },
  };
}
