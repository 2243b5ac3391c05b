// rest.fal.ai: what fal's clients need beside the models: tokens, and places to upload to.
import { ForecourtError } from "../../core/errors.ts";
import { bytes } from "../../core/units.ts";
import { requireUse } from "../authenticate.ts";
import type { Call, Face } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import { requireMethod } from "../require-method.ts";
import type { RestParts } from "./parts.ts";
import { initiateUpload, storageToken } from "./storage.ts";
import { appToken } from "./tokens.ts";

/** `body` is parsed JSON, unchecked. */
export type RestOperation = (parts: RestParts, call: Call, body: unknown) => Response | Promise<Response>;

/** All are called with POST. Old and new clients call the same paths, some with a slash at the end. */
const operations: ReadonlyMap<string, RestOperation> = new Map<string, RestOperation>([
  ["storage/upload/initiate", initiateUpload],
  ["storage/upload/initiate-multipart", initiateUpload],
  ["storage/auth/token", storageToken],
  ["tokens", async (...asked) => Response.json(await appToken(...asked))],
  ["tokens/realtime", async (...asked) => Response.json({ token: await appToken(...asked) })],
]);

/** Generous: a long list of apps, a long file name. */
const BODY_LIMIT = bytes(64 * 1024);

export function createRest(parts: RestParts): Face {
  return async (call) => {
    const operation = operations.get(call.path);
    if (!operation) throw new ForecourtError("not_found", `Path /${call.path.slice(0, 200)} not found`);
    requireMethod(call.request, ["POST"], "Use POST.");
    requireUse(call.caller, call.path.startsWith("storage/") ? "assets:write" : "models:run");
    return await operation(parts, call, await readJson(call.request, BODY_LIMIT));
  };
}
