// The models of this box for language models: MCP over streamable HTTP, without sessions; fal has it at mcp.fal.ai.
import type { Catalog } from "../../control/catalog/catalog.ts";
import { matchesModel, mayUse } from "../../control/keys/patterns.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import { requireUse } from "../authenticate.ts";
import type { Call, Face } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import type { ReportFailure } from "../report.ts";
import { modelTools } from "./model-tools.ts";
import type { ToolParts } from "./tool.ts";
import { tools } from "./tools.ts";

export type McpParts = Omit<ToolParts, "waitMs"> & {
  waitMs?: number;
  version: string;
  bodyLimit: Bytes;
  keepAliveMs: number;
  report: ReportFailure;
};

/** fal's own wait: below the 60 s after which most clients give up on a tool. */
const WAIT_MS = 45_000;

/** Below `/mcp` of this box there is nothing; under the name mcp.fal.ai these are the paths. */
const PATHS = ["", "mcp", "mcp-relay"];

const NAMES = tools.map(({ name }) => name);

/** `?models=GLOB,...` narrows the models that are tools of their own; all others are still there for run_model. */
export function createMcp({ waitMs = WAIT_MS, ...box }: McpParts): Face {
  return async (call) => {
    if (!PATHS.includes(call.path)) throw new ForecourtError("not_found", `Path /${call.path.slice(0, 200)} not found`);
    requireUse(call.caller, "models:run");
    // The protocol's code is loaded by the first who speaks it.
    const { serveMcp } = await import("./protocol.ts");
    const body = call.request.method === "POST" ? await readJson(call.request, box.bodyLimit) : undefined;
    call.waitForever();
    const catalog = usableBy(call.caller, box.catalog);
    const shown = [...tools, ...modelTools(chosen(catalog, call), NAMES)];
    return await serveMcp({ ...box, parts: { ...box, catalog, waitMs }, tools: shown, call, body });
  };
}

/** The catalogue as if it held nothing but what this key may use. */
function usableBy(caller: Call["caller"], catalog: Catalog): Catalog {
  const isUsable = ({ model }: ReturnType<Catalog["list"]>[number]) => mayUse(caller, model);
  return {
    list: () => catalog.list().filter(isUsable),
    worded: () => catalog.worded().filter(({ entry }) => isUsable(entry)),
    find(endpoint) {
      const entry = catalog.find(endpoint);
      return entry && isUsable(entry) ? entry : undefined;
    },
    match(path) {
      const found = catalog.match(path);
      return found && isUsable(found.entry) ? found : undefined;
    },
    wrong: catalog.wrong,
    refusal: catalog.refusal,
  };
}

function chosen(catalog: Catalog, { query }: Call) {
  const patterns = query.getAll("models").flatMap((text) => text.split(",").filter((pattern) => pattern !== ""));
  if (!query.has("models")) return catalog.list();
  return catalog.list().filter(({ model }) => matchesModel(patterns, [model.id, ...model.aliases]));
}
