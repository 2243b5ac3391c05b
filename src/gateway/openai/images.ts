// Pictures: drawn from a prompt, or changed by one; as URLs, within the answer, or in a stream with previews.
import type { Job } from "../../core/job.ts";
import type { Call } from "../fal/call.ts";
import { publicOutput } from "../fal/translate.ts";
import { readForm } from "../read-form.ts";
import { readJson } from "../read-json.ts";
import { chosenModel } from "./chosen-model.ts";
import { openAiStream } from "./event-stream.ts";
import { inFieldNames } from "./field-names.ts";
import { answerHeaders } from "./headers.ts";
import {
  drawingInput,
  type EditBody,
  editingInput,
  type ImageBody,
  readEditBody,
  readEditJsonBody,
  readImageBody,
} from "./image-body.ts";
import { outputBytes } from "./output-bytes.ts";
import { abandonAll, answersOf, beginJobs, type DoneJob, finishedJobs, type OpenAiParts } from "./runs.ts";

/** What pipelines that draw answer (drawnOutput). */
type Drawn = { images: { url: string; width: number; height: number; content_type: string }[] };
type Asked = { body: ImageBody; job: Job; kind: "image_generation" | "image_edit" };

export async function imageGenerations(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readImageBody(await readJson(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts, body.model, "images");
  const jobs = await beginJobs(parts, call, { ...chosen, inputs: [drawingInput(body)], isFollowed: body.stream });
  return await drawn(parts, call, { body, jobs, kind: "image_generation" });
}

/** A form, or JSON, in which the pictures have other names. */
export async function imageEdits(parts: OpenAiParts, call: Call): Promise<Response> {
  const type = call.request.headers.get("content-type") ?? "";
  if (!/^application\/json\b/i.test(type))
    return await edited(parts, call, await readEditBody(await readForm(call.request, parts.bodyLimit)));
  try {
    return await edited(parts, call, readEditJsonBody(await readJson(call.request, parts.bodyLimit)));
  } catch (error) {
    throw inFieldNames({ image: "images", image_url: "images", image_urls: "images" }, error);
  }
}

async function edited(parts: OpenAiParts, call: Call, body: EditBody): Promise<Response> {
  const chosen = chosenModel(parts, body.model, body.mask === undefined ? "edits" : "maskedEdits");
  const jobs = await beginJobs(parts, call, {
    ...chosen,
    inputs: [editingInput(body, chosen.entry.model.pipeline)],
    isFollowed: body.stream,
  });
  return await drawn(parts, call, { body, jobs, kind: "image_edit" });
}

async function drawn(
  parts: OpenAiParts,
  call: Call,
  { jobs, ...asked }: Omit<Asked, "job"> & { jobs: Job[] },
): Promise<Response> {
  const [job] = jobs;
  if (asked.body.stream && job)
    return await openAiStream({
      ...parts,
      call,
      requestId: job.id,
      isDoneSaid: false,
      values: (signal) => eventsOf(parts, { ...asked, job }, signal),
    });
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const images = done.flatMap((each) => (each.output as Drawn).images.map((image) => ({ job: each, ...image })));
  const data = await Promise.all(images.map((image) => toldPicture(parts, call, image, asked.body.response_format)));
  const created = Math.floor((job?.createdAt ?? 0) / 1000);
  return Response.json({ created, data, ...aboutOf(images) }, { headers: answerHeaders(parts, done) });
}

type Made = { url: string; job: DoneJob };

/** Code for some of OpenAI's models expects a URL unless it asks otherwise, code for others the picture itself. */
async function toldPicture(parts: OpenAiParts, call: Call, { url, job }: Made, form?: ImageBody["response_format"]) {
  const { url: link } = publicOutput({ url }, job.files, call.roots) as { url: string };
  if (form === "url") return { url: link };
  if (form === "b64_json") return { b64_json: base64Of(url) };
  return { url: link, b64_json: Buffer.from(await outputBytes(parts, job, url)).toString("base64") };
}

async function* eventsOf({ jobs }: OpenAiParts, { body, job, kind }: Asked, signal: AbortSignal) {
  let shown = 0;
  let isOver = false;
  const created_at = Math.floor(job.createdAt / 1000);
  try {
    for await (const step of answersOf<Drawn, Drawn>(jobs, job, signal)) {
      isOver = "output" in step;
      const { images } = "output" in step ? step.output : step.partial;
      const about = { created_at, quality: "auto", ...aboutOf(images) };
      for (const { url } of images) {
        const b64_json = base64Of(url);
        if (isOver) yield { type: `${kind}.completed`, b64_json, ...about, usage: NO_TOKENS };
        else if (shown < body.partial_images)
          yield { type: `${kind}.partial_image`, b64_json, partial_image_index: shown++, ...about };
      }
    }
  } finally {
    if (!isOver) abandonAll(jobs, [job]);
  }
}

/** Pictures are not made of tokens here; clients insist on their number. */
const NO_TOKENS = {
  ...{ input_tokens: 0, output_tokens: 0, total_tokens: 0 },
  input_tokens_details: { text_tokens: 0, image_tokens: 0 },
};

function aboutOf([image]: Drawn["images"]): Record<string, string> {
  if (!image) return {};
  return {
    size: `${image.width}x${image.height}`,
    output_format: image.content_type.replace("image/", ""),
    background: "opaque",
  };
}

/** Of a data URI. */
const base64Of = (url: string) => url.slice(url.indexOf(",") + 1);
