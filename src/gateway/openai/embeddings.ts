// Embeddings as OpenAI answers them, and rankings in the shape that rerankers' APIs share.
import type { EmbedOutput } from "../../engine/embedding/embed-fields.ts";
import type { RerankOutput } from "../../engine/embedding/rerank-fields.ts";
import type { Call } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import { chosenModel } from "./chosen-model.ts";
import { embeddingInput, rankingInput, readEmbeddingBody, readRerankBody } from "./embedding-body.ts";
import { answerHeaders } from "./headers.ts";
import { beginJobs, finishedJobs, type OpenAiParts } from "./runs.ts";

export async function embeddings(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readEmbeddingBody(await readJson(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts, body.model, "embeddings");
  const jobs = await beginJobs(parts, call, { ...chosen, inputs: [embeddingInput(body)], isFollowed: false });
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const outputs = done.map(({ output }) => output as EmbedOutput); // of the embed pipeline, which chosenModel saw to
  const encoded = body.encoding_format === "base64" ? base64Of : (vector: number[]) => vector;
  const data = outputs.flatMap((output) =>
    output.embeddings.map((vector, index) => ({ object: "embedding", index, embedding: encoded(vector) })),
  );
  const answer = { object: "list", data, model: body.model, usage: outputs[0]?.usage };
  return Response.json(answer, { headers: answerHeaders(parts, done) });
}

/** 32-bit floats, little-endian. */
function base64Of(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [at, value] of vector.entries()) view.setFloat32(at * 4, value, true);
  return new Uint8Array(view.buffer).toBase64();
}

export async function rerank(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readRerankBody(await readJson(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts, body.model, "rerank");
  const jobs = await beginJobs(parts, call, { ...chosen, inputs: [rankingInput(body)], isFollowed: false });
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const [output] = done.map((job) => job.output as RerankOutput); // of the rerank pipeline
  const head = { id: `rerank-${jobs[0]?.id}`, object: "list", model: body.model };
  return Response.json({ ...head, ...output }, { headers: answerHeaders(parts, done) });
}
