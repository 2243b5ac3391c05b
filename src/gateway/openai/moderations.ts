// Moderations: what a box's classifiers say of texts and pictures, in OpenAI's categories. Nothing is let through as harmless
// unread: what no model judges is an error.
import type { Job } from "../../core/job.ts";
import { judge, type Seen } from "../../engine/classification/moderation.ts";
import type { Call } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import { answerHeaders } from "./headers.ts";
import { bundlesOf, readModerationBody } from "./moderation-body.ts";
import { type Moderator, moderatorFor, USUAL_NAME } from "./moderator.ts";
import { abandonAll, beginJobs, finishedJobs, type OpenAiParts } from "./runs.ts";

export async function moderations(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readModerationBody(await readJson(call.request, parts.bodyLimit));
  const bundles = bundlesOf(body);
  const asked = { name: body.model, caller: call.caller };
  const texts = bundles.flatMap((bundle) => bundle.texts);
  const images = bundles.flatMap((bundle) => bundle.images);
  const works: Work[] = [
    ...(texts.length > 0 ? [{ moderator: moderatorFor(parts, { ...asked, kind: "text" }), things: texts }] : []),
    ...(images.length > 0 ? [{ moderator: moderatorFor(parts, { ...asked, kind: "image" }), things: images }] : []),
  ];
  const begun = await beginAll(parts, call, works);
  const jobs = begun.flatMap((each) => each.jobs);
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const outputs = new Map(done.map(({ id, output }) => [id, output]));
  const seen = begun.map(({ moderator: { kind, declared, classes }, jobs: own }) =>
    classes(own.map(({ id }) => outputs.get(id))).map((each): Seen => ({ kind, declared, classes: each })),
  );
  const next = { text: seenBy(seen, "text"), image: seenBy(seen, "image") };
  const results = bundles.map(({ texts: own, images: shown }) =>
    judge([...next.text.splice(0, own.length), ...next.image.splice(0, shown.length)]),
  );
  const head = { id: `modr-${jobs[0]?.id}`, model: body.model ?? works[0]?.moderator.endpoint ?? USUAL_NAME };
  return Response.json({ ...head, results }, { headers: answerHeaders(parts, done) });
}

type Work = { moderator: Moderator; things: readonly string[] };

const seenBy = (seen: readonly Seen[][], kind: Seen["kind"]) => seen.flat().filter((each) => each.kind === kind);

/** Throws what keeps one out; then none of them runs. */
async function beginAll(parts: OpenAiParts, call: Call, works: readonly Work[]) {
  const begun: { moderator: Moderator; jobs: Job[] }[] = [];
  for (const { moderator, things } of works) {
    const { entry, endpoint } = moderator;
    const begin = { entry, endpoint, inputs: moderator.inputs(things), isFollowed: false };
    const jobs = await beginJobs(parts, call, begin).catch((error: unknown) => {
      for (const each of begun) abandonAll(parts.jobs, each.jobs);
      throw error;
    });
    begun.push({ moderator, jobs });
  }
  return begun;
}
