// What a run waits for while the weights of its model are fetched; the events of its job are silent then.
import { setInterval } from "node:timers/promises";
import type { Download } from "../../control/weights/supply.ts";
import type { Progress } from "../progress.ts";
import { sizeText } from "../terminal.ts";

type Watching = {
  look(): Promise<readonly Download[]> | readonly Download[];
  model: string;
  progress: Progress;
  /** It began, or is over. */
  signal: AbortSignal;
};

const LOOK_MS = 1_000;

/** Ends with the signal. */
export async function tellOfDownload({ look, model, progress, signal }: Watching): Promise<void> {
  try {
    for await (const _ of setInterval(LOOK_MS, undefined, { signal })) {
      const download = (await look()).find((each) => each.model === model);
      if (download && !signal.aborted) progress.show(textOf(download));
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

const textOf = ({ at, of, notice }: Download) => notice ?? `fetching weights, ${sizeText(at)} of ${sizeText(of)}`;
