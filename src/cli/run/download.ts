// What a run waits for while the weights of its model are fetched; the events of its job are silent then.
import { setInterval } from "node:timers/promises";
import type { Download } from "../../control/weights/supply.ts";
import type { Progress } from "../progress.ts";
import { sizeText } from "../terminal.ts";

type Watching = {
  look(signal: AbortSignal): Promise<readonly Download[]> | readonly Download[];
  model: string;
  progress: Progress;
};

const LOOK_MS = 1_000;

/** What `run` comes to; until it says that it began, or is over, it is told how far the download is. */
export async function tellingOfDownload<T>(watching: Watching, run: (began: () => void) => Promise<T>): Promise<T> {
  const begun = new AbortController();
  const end = () => begun.abort();
  const [result] = await Promise.all([run(end).finally(end), tell(watching, begun.signal)]);
  return result;
}

/** Ends with the signal. */
async function tell({ look, model, progress }: Watching, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of setInterval(LOOK_MS, undefined, { signal })) {
      const download = (await look(signal)).find((each) => each.model === model);
      if (download && !signal.aborted) progress.show(textOf(download));
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

const textOf = ({ at, of, notice }: Download) => notice ?? `fetching weights, ${sizeText(at)} of ${sizeText(of)}`;
