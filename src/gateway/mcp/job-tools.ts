// Tools that run any model by its id, at once or through the queue, and follow what was submitted.
import { OPEN } from "../../control/storage/acl.ts";
import { type Static, Type } from "../../core/schema.ts";
import { milliseconds } from "../../core/units.ts";
import { isOver, statusBody } from "../fal/translate.ts";
import { begin, ownJob, type Run, resultOf, runToTheEnd, underWay } from "./runs.ts";
import { tool } from "./tool.ts";

const A_CENTURY_IN_SECONDS = 3_153_600_000;

const runInput = Type.Object({
  endpoint_id: Type.String({
    minLength: 1,
    maxLength: 500,
    description: "A model's id, such as search_models gives, or workflows/<user>/<name>",
  }),
  input: Type.Record(Type.String(), Type.Unknown(), {
    default: {},
    description: "What the model takes; get_model_schema says what",
  }),
  expiration_seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: A_CENTURY_IN_SECONDS, description: "Output files are removed after this" }),
  ),
  store_payload: Type.Boolean({ default: true, description: "false: input and output are forgotten after an hour" }),
});

const runOf = ({ endpoint_id, input, expiration_seconds, store_payload }: Static<typeof runInput>): Run => ({
  endpoint: endpoint_id.replace(/^\/+|\/+$/g, ""),
  input,
  options: {
    ...(expiration_seconds !== undefined && {
      lifecycle: { acl: OPEN, keepFor: milliseconds(expiration_seconds * 1000) },
    }),
    ...(!store_payload && { keepsPayload: false }),
  },
});

export const runModel = tool({
  name: "run_model",
  title: "Run a model",
  description:
    "Runs a model and waits for its result; after 45 seconds it answers with a request_id to ask for it later",
  isReading: false,
  input: runInput,
  answer: async (parts, asked, input) => await runToTheEnd(parts, asked, runOf(input)),
});

export const submitJob = tool({
  name: "submit_job",
  title: "Submit a request",
  description: "Puts a request into a model's queue and answers at once with its request_id",
  isReading: false,
  input: runInput,
  answer: async (parts, { call }, input) => ({
    value: underWay(await begin(parts, call, runOf(input)), parts, call),
  }),
});

const ofJob = {
  endpoint_id: Type.Optional(Type.String({ maxLength: 500, description: "Not needed: a request_id is enough" })),
  request_id: Type.String({ minLength: 1, maxLength: 100 }),
};
const unneededUrl = (name: string) => ({
  [name]: Type.Optional(Type.String({ maxLength: 2000, description: "Not needed: a request_id is enough" })),
});

export const checkJob = tool({
  name: "check_job",
  title: "Status of a request",
  description: "IN_QUEUE, IN_PROGRESS or COMPLETED, with the position in the queue and the log",
  isReading: true,
  input: Type.Object({ ...ofJob, ...unneededUrl("status_url") }),
  answer(parts, { call }, { request_id }) {
    const job = ownJob(parts, call, request_id);
    const position = job.status === "queued" ? parts.jobs.position(job.id) : 0;
    const waitMs = job.status === "queued" ? parts.scheduler.estimateWait(job.model, position) : undefined;
    const line = { position, ...(waitMs !== undefined && { waitMs }) };
    return { value: statusBody(job, { logs: parts.jobs.logs(job.id), ...line, roots: call.roots }) };
  },
});

export const getJobResult = tool({
  name: "get_job_result",
  title: "Result of a request",
  description: "The output of a COMPLETED request, or why it failed",
  isReading: true,
  input: Type.Object({ ...ofJob, ...unneededUrl("response_url") }),
  answer(parts, { call }, { request_id }) {
    const job = ownJob(parts, call, request_id);
    if (!isOver(job)) return { value: underWay(job, parts, call) };
    return resultOf(job, call, { endpoint: job.endpoint, input: job.input });
  },
});

export const cancelJob = tool({
  name: "cancel_job",
  title: "Cancel a request",
  description: "A waiting request is removed at once; a running one ends between two steps",
  isReading: false,
  input: Type.Object({ ...ofJob, ...unneededUrl("cancel_url") }),
  answer(parts, { call }, { request_id }) {
    const { id } = ownJob(parts, call, request_id);
    const isRequested = parts.jobs.cancel(id) === "requested";
    return { value: { request_id: id, status: isRequested ? "CANCELLATION_REQUESTED" : "ALREADY_COMPLETED" } };
  },
});
