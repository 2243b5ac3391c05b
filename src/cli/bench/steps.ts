// A diffusion step through the whole server against the same call of the bare session.
import type { Model } from "../../engine/model.ts";
import { progressOf } from "../run/through-server.ts";
import { post, type Target } from "./client.ts";
import { startSelf } from "./own-process.ts";
import { median } from "./statistics.ts";

export type Steps = { stepMs: number; sessionMs: number; overhead: number };

export type StepOrder = {
  server: Target;
  /** Where the runner of the server finds the same things. */
  bare: { model: Model; input: Record<string, unknown>; weights: string; runtime: string; threads: number };
  rounds: number;
  steps: number;
};

/** Rounds alternate between the two; each process idles while the other one computes. */
export async function measureSteps({ server, bare, rounds, steps }: StepOrder): Promise<Steps> {
  await using session = startSelf(["runner", "bare-session", JSON.stringify(bare)], "stdout");
  const bareMs = async () => {
    session.write(String(steps));
    const answer = await session.nextLine();
    if (answer === undefined) throw new Error("the bare session ended before its time");
    return Number(answer);
  };
  const samples: { step: number; session: number }[] = [];
  for (let i = 0; i <= rounds; i++) {
    const sample = { step: await stepMs(server, bare, steps), session: await bareMs() };
    if (i > 0) samples.push(sample); // the first one loads the model and warms both up
  }
  return {
    stepMs: median(samples.map(({ step }) => step)),
    sessionMs: median(samples.map(({ session }) => session)),
    overhead: median(samples.map(({ step, session }) => step / session - 1)),
  };
}

/** Previews of a stream are other work than its steps. */
const ALONE = { preview_every: 0 };

/** Mean time between two steps' news, over all steps of one picture. */
async function stepMs(server: Target, { model, input }: StepOrder["bare"], steps: number): Promise<number> {
  const stream = await post(server, `/run/${model.id}/stream`, { ...input, num_inference_steps: steps, ...ALONE });
  const news: { at: number; when: number }[] = [];
  for await (const { at } of progressOf(stream)) news.push({ at, when: performance.now() });
  const [first, last] = [news[0], news.at(-1)];
  if (!first || !last || last.at <= first.at) throw new Error("the server told no progress");
  return (last.when - first.when) / (last.at - first.at);
}
