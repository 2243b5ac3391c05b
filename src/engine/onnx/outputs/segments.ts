// When something is heard: stretches of time in which a share is high, by the rules of Silero's get_speech_timestamps.
import { type Static, Type } from "../../../core/schema.ts";
import { toFloats } from "../../tensor/tensor.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { outputPort } from "../ports.ts";
import { resultsOf } from "../results.ts";

const declared = declare("segments", {
  tensor: tensorName,
  threshold: Type.Number({ default: 0.5, description: "A stretch begins at this share" }),
  hysteresis: Type.Number({ default: 0.15, description: "It ends at a share lower than the threshold by this" }),
  minSeconds: Type.Number({ default: 0.25, description: "Shorter stretches are dropped" }),
  minPauseSeconds: Type.Number({ default: 0.1, description: "Shorter pauses do not end a stretch" }),
  padSeconds: Type.Number({ default: 0.03, description: "Added at both ends" }),
  found: Type.Optional(Type.String({ description: "A further field of the answer: whether there is any stretch" })),
});

type Rules = Omit<Static<typeof declared>, "kind">;

export const segments = defineOutput({
  declared,
  fields: (name, { found }) => ({
    ...(found !== undefined && { [found]: Type.Boolean() }),
    [name]: Type.Array(Type.Object({ start: Type.Number(), end: Type.Number() }), { description: "In seconds." }),
  }),
  async open(declaration, { name, graph }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    const { found } = declaration;
    return async ({ results, hopSeconds = 1 }) => {
      const shares = resultsOf(results, port).map((each) => toFloats(each)[0] ?? 0);
      const stretches = stretchesOf(shares, hopSeconds, declaration);
      return { ...(found !== undefined && { [found]: stretches.length > 0 }), [name]: stretches };
    };
  },
});

export type Stretch = { start: number; end: number };

/** Seconds; `hop` is the time of one share. */
export function stretchesOf(shares: readonly number[], hop: number, rules: Rules): Stretch[] {
  const found: Stretch[] = [];
  let start: number | undefined;
  let pause: number | undefined;
  const close = (end: number) => {
    if (start !== undefined && end - start > rules.minSeconds) found.push({ start, end });
    start = pause = undefined;
  };
  for (const [i, share] of shares.entries()) {
    const now = i * hop;
    if (share >= rules.threshold) {
      pause = undefined;
      start ??= now;
    } else if (start !== undefined && share < rules.threshold - rules.hysteresis) {
      pause ??= now;
      if (now - pause >= rules.minPauseSeconds) close(pause);
    }
  }
  close(shares.length * hop);
  return padded(found, shares.length * hop, rules);
}

/** Two stretches that would overlap share the pause between them. */
const padded = (found: readonly Stretch[], length: number, { padSeconds }: Rules): Stretch[] =>
  found.map(({ start, end }, i) => {
    const before = found[i - 1]?.end ?? -Infinity;
    const after = found[i + 1]?.start ?? Infinity;
    return {
      start: rounded(Math.max(0, start - Math.min(padSeconds, (start - before) / 2))),
      end: rounded(Math.min(length, end + Math.min(padSeconds, (after - end) / 2))),
    };
  });

const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000;
