// Workflows in the document of the whole box: called like models, at once, as a stream or through the queue.
import { contentsSchema, EXECUTE, nodesSchema } from "../../control/workflows/definition.ts";
import { utilityNames } from "../../control/workflows/utilities.ts";
import { Type } from "../../core/schema.ts";
import { type OpenApiSchema, toOpenApi } from "./openapi-schema.ts";
import { jsonContent, ref, refusals, webhookParameter } from "./shared-schemas.ts";

const call = Type.Object({
  input: Type.Record(Type.String(), Type.Unknown(), { description: "What `$input` refers to" }),
  workflow: Type.Union([nodesSchema, contentsSchema]),
});

export const workflowSchemas: Record<string, OpenApiSchema> = {
  WorkflowCall: toOpenApi(call),
  WorkflowEvent: {
    type: "object",
    description: "submit and completion of nodes as they come; output or error is the last",
    properties: {
      type: { type: "string", enum: ["submit", "completion", "output", "error"] },
      node_id: { type: "string", nullable: true },
      app_id: { type: "string" },
      request_id: { type: "string" },
      output: {},
      message: { type: "string" },
      error: { type: "object", properties: { status: { type: "integer" }, body: { type: "object" } } },
    },
    required: ["type"],
  },
};

const EXAMPLE = {
  input: { prompt: "a red circle on a blue ground" },
  workflow: {
    text: {
      type: "run",
      app: "fal-ai/workflow-utilities/merge-text",
      input: { texts: ["$input.prompt", "and a white star"], separator: " " },
    },
    picture: { type: "run", app: "forecourt/demo-diffusion", input: { prompt: "$text.text" } },
    output: { type: "display", depends: ["picture"], fields: { image: "$picture.images.0.url" } },
  },
};

const ABOUT = `A node runs as soon as those before it are done; branches run side by side. Utilities: ${utilityNames.map((name) => `\`${name}\``).join(", ")}.`;

const tags = ["Workflows"];
const named = ["user", "name"].map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
const events = { "text/event-stream": { schema: ref("WorkflowEvent") } };
const anyObject = jsonContent({ type: "object" });

export function workflowPaths(): Record<string, OpenApiSchema> {
  return {
    ...pathsOf(EXECUTE, {
      name: "Workflow",
      parameters: [],
      requestBody: { required: true, ...jsonContent(ref("WorkflowCall"), { example: EXAMPLE }) },
      what: "a workflow that comes with the call",
    }),
    ...pathsOf("workflows/{user}/{name}", {
      name: "StoredWorkflow",
      parameters: named,
      requestBody: { required: true, ...anyObject },
      what: "a stored workflow; its body is its input",
    }),
  };
}

type Described = { name: string; parameters: OpenApiSchema[]; requestBody: OpenApiSchema; what: string };

function pathsOf(endpoint: string, { name, parameters, requestBody, what }: Described): Record<string, OpenApiSchema> {
  const operation = (verb: string, more: OpenApiSchema) => ({
    post: { tags, operationId: `${verb}${name}`, parameters, requestBody, ...more },
  });
  return {
    [`/run/${endpoint}`]: operation("run", {
      summary: `Run ${what}, and wait for its output`,
      description: ABOUT,
      responses: { 200: { description: "The workflow's output", ...anyObject }, ...refusals },
    }),
    [`/run/${endpoint}/stream`]: operation("stream", {
      summary: `Run ${what}, and hear of every node`,
      responses: { 200: { description: "Events", content: events }, ...refusals },
    }),
    [`/queue/${endpoint}`]: operation("submit", {
      summary: `Put into the queue ${what}`,
      parameters: [...parameters, webhookParameter],
      responses: {
        200: { description: "Where the request stands", ...jsonContent(ref("QueueStatus")) },
        401: refusals[401],
      },
    }),
  };
}
