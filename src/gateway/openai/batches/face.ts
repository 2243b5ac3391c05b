// The lines of a batch in OpenAI's words. Each goes the way of a request that comes alone, with jobs that outlive this process.
import type { BatchFace, BatchLine } from "../../../control/batches/batch.ts";
import { ForecourtError } from "../../../core/errors.ts";
import { parse, Type } from "../../../core/schema.ts";
import { type Call, type Face, rootsOf } from "../../fal/call.ts";
import { parseJson } from "../../read-json.ts";
import { REQUEST_ID } from "../../request-id.ts";
import { openAiFailure } from "../failures.ts";
import type { OpenAiParts } from "../runs.ts";
import { tokensIn } from "../usage-words.ts";

/** Those whose answers are JSON. */
export const ENDPOINTS = [
  "/v1/responses",
  "/v1/chat/completions",
  "/v1/embeddings",
  "/v1/completions",
  "/v1/moderations",
  "/v1/images/generations",
  "/v1/images/edits",
] as const;

const line = Type.Object({
  custom_id: Type.String({ minLength: 1, maxLength: 512 }),
  method: Type.Literal("POST"),
  url: Type.String(),
  body: Type.Record(Type.String(), Type.Unknown()),
});

/** What a request in a file cannot ask for. */
const NOT_HERE: Record<string, string> = {
  stream: "there are no streams in a batch",
  background: "a batch is that already",
  conversation: "conversations go on one request at a time",
};

export const createBatchFace = (parts: OpenAiParts, faceOf: (parts: OpenAiParts) => Face): BatchFace => ({
  read(text, { endpoint }) {
    try {
      const { custom_id: customId, url, body } = parse(line, parseJson(text), []);
      if (url !== endpoint) return { message: `The url is not the endpoint of the batch, ${endpoint}`, param: "url" };
      const unfit = Object.keys(NOT_HERE).find((name) => body[name]);
      if (unfit !== undefined) return { message: `Leave ${unfit} out: ${NOT_HERE[unfit]}`, param: `body.${unfit}` };
      return { customId, model: typeof body.model === "string" ? body.model : null };
    } catch (error) {
      if (!(error instanceof ForecourtError)) throw error;
      const [problem] = error.problems ?? [];
      return { message: problem?.msg ?? error.message, param: problem?.loc.join(".") ?? null };
    }
  },
  async run({ text, caller, jobs, stop, ...of }) {
    const call: Call = {
      request: requestOf(text, stop),
      ...{ caller, path: of.batch.endpoint.replace("/v1/", ""), query: new URLSearchParams() },
      roots: rootsOf(of.batch.origin),
      waitForever: () => {},
    };
    const answer = await faceOf({ ...parts, jobs })(call).catch((error: unknown) =>
      openAiFailure(parts.report(error, idOf(of)), idOf(of)),
    );
    const response = {
      ...{ status_code: answer.status, request_id: answer.headers.get(REQUEST_ID) ?? idOf(of) },
      body: await answer.json(),
    };
    const result = JSON.stringify({ ...headOf(of), response, error: null });
    return answer.ok ? { isDone: true, result, usage: tokensIn(response.body) } : { isDone: false, result };
  },
  refuse: (of, error) => JSON.stringify({ ...headOf(of), response: null, error }),
});

const requestOf = (text: string, signal: AbortSignal) =>
  new Request("http://localhost/", {
    ...{ method: "POST", signal, headers: { "content-type": "application/json" } },
    body: JSON.stringify((JSON.parse(text) as { body: unknown }).body), // `read` saw to it
  });

/** The same each time that it is carried out. */
const idOf = ({ batch, number }: BatchLine) => `batch_req_${batch.id.replace("batch_", "")}_${number}`;
const headOf = (of: BatchLine) => ({ id: idOf(of), custom_id: of.customId });
