// Fetches a model's weights; of a source whose revision is a branch or tag, the commit is settled at the first time.
import { type Clock, systemClock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { repoPartsOf, type Sourced } from "../../engine/sources.ts";
import { keepPin, pinOf } from "./pins.ts";
import { type PulledWeights, type PullOrder, pull } from "./pull.ts";
import { settledSources } from "./settled.ts";

export type ModelPull = Omit<PullOrder, "source" | "beside"> & { model: Sourced; clock?: Clock };

/** Throws pull.ts's errors. The commits count once all files of all sources are here. */
export async function pullModel({ model, clock = systemClock, ...order }: ModelPull): Promise<PulledWeights> {
  const { data } = order;
  const sources = await settledSources(model, data);
  const pulled = await pull({ ...order, ...sources }).catch((error) => {
    throw withWayOut(error);
  });
  for (const part of repoPartsOf(model)) {
    const commit = part.folder === "" ? pulled.commit : pulled.beside?.[part.folder]?.commit;
    const settled = (await pinOf(part, data))?.commit ?? part.source.revision;
    if (commit !== undefined && commit !== settled) await keepPin(part, { commit, at: clock.now() }, data);
  }
  return pulled;
}

/** Of boxes that reach no Hub, for good or for now. */
function withWayOut(error: unknown): unknown {
  if (!(error instanceof ForecourtError)) return error;
  const { code, message, details } = error;
  if (details?.reason !== "unreachable" && details?.reason !== "offline") return error;
  const wayOut =
    "Where there is no network they come from another box: `forecourt models export` there, `forecourt models import` here.";
  return new ForecourtError(code, `${message.replace(/\.?$/, ".")} ${wayOut}`, { details, cause: error });
}
