// OpenAI's API at /v1: its requests become jobs, its answers are made of theirs.
import { ForecourtError } from "../../core/errors.ts";
import { requireUse } from "../authenticate.ts";
import type { Call, Face } from "../fal/call.ts";
import { pathPart } from "../path-part.ts";
import { requireMethod } from "../require-method.ts";
import { speech, transcriptions, translations } from "./audio.ts";
import { batches } from "./batches/batches.ts";
import { createBatchFace } from "./batches/face.ts";
import { chatCompletions } from "./chat.ts";
import { completions } from "./completions.ts";
import { conversations } from "./conversations/conversations.ts";
import { embeddings, rerank } from "./embeddings.ts";
import { type FieldNames, inFieldNames } from "./field-names.ts";
import { files } from "./files/files.ts";
import { imageEdits, imageGenerations } from "./images.ts";
import { listModels, showModel } from "./models.ts";
import { moderations } from "./moderations.ts";
import { responses } from "./responses/responses.ts";
import type { OpenAiParts } from "./runs.ts";
import { listSpeechModels, listVoices } from "./voices.ts";

type Operation = {
  run(parts: OpenAiParts, call: Call): Promise<Response>;
  /** Of fields of the model's input that are named otherwise here. */
  names?: FieldNames;
};

const drawn = { image_size: "size", num_images: "n", image_url: "image", image_urls: "image", mask_url: "mask" };
const heard = { audio_url: "file", diarize: "response_format" };

/** All are called with POST. */
const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["chat/completions", { run: chatCompletions }],
  ["completions", { run: completions }],
  ["images/generations", { run: imageGenerations, names: drawn }],
  ["images/edits", { run: imageEdits, names: drawn }],
  ["embeddings", { run: embeddings }],
  ["rerank", { run: rerank }],
  ["audio/speech", { run: speech, names: { text: "input", output_format: "response_format" } }],
  ["audio/transcriptions", { run: transcriptions, names: heard }],
  ["audio/translations", { run: translations, names: heard }],
  ["moderations", { run: moderations, names: { image_url: "input" } }],
]);

/** Called with GET. */
const lists = new Map<string, Operation["run"]>([
  ["audio/voices", listVoices],
  ["audio/models", async (parts, call) => listSpeechModels(parts, call)],
]);

/** What has paths below it, and methods of its own. */
const trees = new Map([
  ["batches", batches],
  ["conversations", conversations],
  ["files", files],
  ["responses", responses],
]);

const MODELS = "models";

/** What it throws becomes OpenAI's kind of failure at the border, by the path. Batches are carried out from now on. */
export function createOpenAi(parts: OpenAiParts): Face {
  parts.batches.serve(createBatchFace(parts, faceOf));
  return faceOf(parts);
}

function faceOf(parts: OpenAiParts): Face {
  return async (call) => {
    requireUse(call.caller, "models:run");
    if (call.path === MODELS || call.path.startsWith(`${MODELS}/`)) {
      requireMethod(call.request, ["GET"], "Use GET.");
      const name = call.path.split("/").slice(1).map(pathPart).join("/");
      return name === "" ? listModels(parts, call.caller) : showModel(parts, call.caller, name);
    }
    const list = lists.get(call.path);
    if (list) {
      requireMethod(call.request, ["GET"], "Use GET.");
      return await list(parts, call);
    }
    const [first = "", ...rest] = call.path.split("/");
    const below = trees.get(first);
    if (below) return await below(parts, call, rest.map(pathPart));
    const operation = operations.get(call.path);
    if (!operation)
      throw new ForecourtError(
        "not_found",
        `Unknown request URL: ${call.request.method} /v1/${call.path}`.slice(0, 300),
      );
    requireMethod(call.request, ["POST"], "Use POST.");
    try {
      return await operation.run(parts, call);
    } catch (error) {
      throw inFieldNames(operation.names ?? {}, error);
    }
  };
}
