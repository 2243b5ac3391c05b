// The only file that speaks MCP: tools to the official SDK and answers back. Serves clients of 2025 and of 2026-07-28.
import {
  type CallToolResult,
  createMcpHandler,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  type Tool as ToolDescription,
} from "@modelcontextprotocol/server";
import { failureBody, messageOf } from "../failures.ts";
import type { Call } from "../fal/call.ts";
import type { ReportFailure } from "../report.ts";
import { newRequestId } from "../request-id.ts";
import { contentOf } from "./content.ts";
import { jsonSchema } from "./json-schema.ts";
import type { Answer, Progress, Tool, ToolParts } from "./tool.ts";

export type Serving = {
  parts: ToolParts;
  /** In the order in which they are listed. */
  tools: readonly Tool[];
  call: Call;
  /** Of a POST, parsed; its request's own body has been read. */
  body: unknown;
  version: string;
  keepAliveMs: number;
  report: ReportFailure;
};

const INSTRUCTIONS =
  "The models of this box. Each model is a tool of its own; search_models and get_model_schema tell about them, and " +
  "run_model calls any by its endpoint id. Runs that take longer answer with a request_id: ask check_job until it is " +
  "COMPLETED, then get_job_result. Inputs named *_url take URLs, data URIs, or what upload_file gives.";

/** One HTTP exchange; nothing is kept from one to the next. */
export async function serveMcp(serving: Serving): Promise<Response> {
  const { call, body, keepAliveMs } = serving;
  const handler = createMcpHandler(() => serverFor(serving), { keepAliveMs });
  return await handler.fetch(call.request, body === undefined ? {} : { parsedBody: body });
}

function serverFor(serving: Serving): Server {
  const { tools, version } = serving;
  const server = new Server(
    { name: "forecourt", title: "Forecourt", version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler("tools/list", () => ({ tools: tools.map(described) }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const chosen = tools.find(({ name }) => name === params.name);
    if (!chosen)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${params.name.slice(0, 100)}.`);
    return await answer(serving, chosen, { input: params.arguments ?? {}, context });
  });
  return server;
}

const described = ({ name, title, description, input, isReading }: Tool): ToolDescription => ({
  ...{ name, title, description },
  inputSchema: { ...jsonSchema(input), type: "object" },
  annotations: { readOnlyHint: isReading, destructiveHint: false, openWorldHint: false },
});

/** What a tool refuses is an answer that the model reads and can act on, not an error of the protocol. */
async function answer(
  { parts, call, report }: Serving,
  tool: Tool,
  { input, context }: { input: unknown; context: ServerContext },
): Promise<CallToolResult> {
  const { signal } = context.mcpReq;
  try {
    return await resultOf(await tool.answer(parts, { call, signal, tell: teller(context) }, input), parts, call);
  } catch (thrown) {
    const failure = report(thrown, newRequestId());
    const value = { error: messageOf(failure), ...failureBody(failure) };
    return await resultOf({ value, isError: true }, parts, call);
  }
}

async function resultOf({ value, isError }: Answer, parts: ToolParts, call: Call): Promise<CallToolResult> {
  const { content, structured } = await contentOf(value, { ...parts, ...call });
  return { content, structuredContent: structured, ...(isError && { isError }) };
}

/** Silent unless the caller gave a token to report under. What was told before is not told again: progress must grow. */
function teller({ mcpReq }: ServerContext): (progress: Progress) => void {
  const progressToken = mcpReq._meta?.progressToken;
  let last = Number.NEGATIVE_INFINITY;
  return ({ at, of, message }) => {
    if (progressToken === undefined || at <= last) return;
    last = at;
    const params = { progressToken, progress: at, ...(of !== undefined && { total: of }), ...(message && { message }) };
    // Where the connection is gone nobody is left to be told.
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
  };
}
