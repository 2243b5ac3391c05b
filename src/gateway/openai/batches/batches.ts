// /v1/batches: made of a file of requests, told, listed, cancelled.
import type { Batch } from "../../../control/batches/batch.ts";
import { ForecourtError } from "../../../core/errors.ts";
import { choice, parse, Type } from "../../../core/schema.ts";
import { milliseconds } from "../../../core/units.ts";
import { wrongField } from "../../../core/wrong-field.ts";
import type { Call } from "../../fal/call.ts";
import { readJson } from "../../read-json.ts";
import { requireMethod } from "../../require-method.ts";
import { metadata } from "../conversations/body.ts";
import { expiresAfter, fileId, foundFile, THIRTY_DAYS } from "../files/files.ts";
import { nullable } from "../nullable.ts";
import type { OpenAiParts } from "../runs.ts";
import { ENDPOINTS } from "./face.ts";

/** Everything below `/v1/batches`; `rest` is what follows: an id, and `cancel`. */
export async function batches(parts: OpenAiParts, call: Call, rest: readonly string[]): Promise<Response> {
  const [id, act, ...more] = rest;
  const wanted = id === undefined ? ["GET", "POST"] : act === undefined ? ["GET"] : ["POST"];
  if (more.length > 0 || (act !== undefined && act !== "cancel"))
    throw new ForecourtError("not_found", `Unknown request URL: /v1/batches/.../${act}`.slice(0, 300));
  requireMethod(call.request, wanted, `Use ${wanted.join(" or ")}.`);
  if (id === undefined)
    return call.request.method === "GET" ? listBatches(parts, call) : await createBatch(parts, call);
  const batch = foundBatch(parts, call, id);
  return told(act === undefined ? batch : await parts.batches.cancel(batch.id));
}

function foundBatch({ batches: all }: OpenAiParts, { caller }: Call, id: string): Batch {
  const batch = all.find(id);
  if (batch && (batch.key === caller.id || caller.scope === "admin")) return batch;
  throw new ForecourtError("not_found", `No batch found with id '${id.slice(0, 100)}'.`);
}

export const batchBody = Type.Object({
  input_file_id: Type.String({ minLength: 1, description: "Of a file with the purpose batch: a request in each line" }),
  endpoint: choice(ENDPOINTS, { description: "What all its requests call" }),
  completion_window: choice(["24h"], { description: "What is not done by then is told as expired" }),
  metadata: Type.Optional(nullable(metadata)),
  output_expires_after: Type.Optional(expiresAfter),
});

async function createBatch(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = parse(batchBody, await readJson(call.request, parts.bodyLimit));
  const { listed } = foundFile(parts, call, body.input_file_id);
  if (listed.purpose !== "batch")
    throw wrongField("input_file_id", `A file with the purpose batch is needed, not ${listed.purpose}`);
  const { seconds } = body.output_expires_after ?? { seconds: THIRTY_DAYS };
  const batch = await parts.batches.create({
    ...{ key: call.caller.id, endpoint: body.endpoint, input: listed.token, origin: call.roots.origin },
    metadata: body.metadata ?? {},
    keepFor: milliseconds(seconds * 1000),
  });
  return told(batch);
}

export const batchesQuery = Type.Object({
  limit: Type.Integer({ default: 20, minimum: 1, maximum: 100 }),
  after: Type.Optional(Type.String({ description: "Id of the batch that the page before ended with" })),
});

function listBatches(parts: OpenAiParts, call: Call): Response {
  const { limit: asked, ...given } = Object.fromEntries(call.query);
  const query = parse(batchesQuery, { ...given, ...(asked !== undefined && { limit: Number(asked) }) }, ["query"]);
  const { limit, after } = query;
  const found = parts.batches.list(call.caller.id, { limit: limit + 1, after });
  const data = found.slice(0, limit).map(wordsOf);
  const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return Response.json({ object: "list", data, ...ends, has_more: found.length > limit });
}

const told = (batch: Batch) => Response.json(wordsOf(batch));

function wordsOf(batch: Batch) {
  const { id, endpoint, status, endedAt, problems, total, done: completed, failed } = batch;
  const endedAs = (as: Batch["status"]) => (status === as ? seconds(endedAt) : null);
  // While a file is written, it is not there yet.
  const file = (token: string | null) => (endedAt === null || token === null ? null : fileId(token));
  return {
    ...{ id, object: "batch", endpoint, model: batch.model, status },
    errors: problems.length > 0 ? { object: "list", data: problems } : null,
    ...{ input_file_id: fileId(batch.input), completion_window: "24h" },
    ...{ output_file_id: file(batch.output), error_file_id: file(batch.errors) },
    created_at: seconds(batch.createdAt),
    expires_at: seconds(batch.expiresAt),
    in_progress_at: seconds(batch.begunAt),
    finalizing_at: seconds(batch.finalizingAt),
    cancelling_at: seconds(batch.cancellingAt),
    ...{ completed_at: endedAs("completed"), failed_at: endedAs("failed") },
    ...{ expired_at: endedAs("expired"), cancelled_at: endedAs("cancelled") },
    request_counts: { total, completed, failed },
    usage: usageOf(batch),
    metadata: batch.metadata,
  };
}

function usageOf({ inputTokens: input_tokens, cachedTokens: cached_tokens, outputTokens: output_tokens }: Batch) {
  if (input_tokens === null || output_tokens === null) return undefined;
  return {
    ...{ input_tokens, input_tokens_details: { cached_tokens } },
    // Models count thoughts and answer together.
    ...{ output_tokens, output_tokens_details: { reasoning_tokens: 0 } },
    total_tokens: input_tokens + output_tokens,
  };
}

const seconds = (at: number | null) => (at === null ? null : Math.floor(at / 1000));
