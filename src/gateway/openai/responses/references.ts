// Items that a request names instead of repeating them: by the id that a response or a conversation gave them, as Vercel's
// AI SDK does.
import { type FieldProblem, ForecourtError } from "../../../core/errors.ts";
import { asId, type JobId } from "../../../core/ids.ts";
import type { Job } from "../../../core/job.ts";
import { wrongField } from "../../../core/wrong-field.ts";
import type { ChatOutput } from "../../../engine/generation/chat-fields.ts";
import type { Call } from "../../fal/call.ts";
import { tooLarge } from "../../read-bytes.ts";
import type { OpenAiParts } from "../runs.ts";
import { type InputItem, type ResponseBody, readItem } from "./body.ts";
import { inputItemsOf } from "./input-items.ts";
import { itemsOf } from "./items.ts";
import { responseId } from "./response.ts";
import { foundJob } from "./stored.ts";

/** Each is a look at a stored request as a whole. */
const MOST = 256;

/** Every item whole. Throws for a reference to what is not kept, and for one that is repeated, as OpenAI does. */
export function inputItems(parts: OpenAiParts, call: Call, input: ResponseBody["input"]): InputItem[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  const find = createFinder(parts, call);
  return input.map((item, at) => (item.type === "item_reference" ? find(item.id, at) : item));
}

/** What is found is no larger, all together, than a body may be: many short references could stand for more than memory holds. */
function createFinder(parts: OpenAiParts, call: Call) {
  const seen = new Set<string>();
  let size = 0;
  return (id: string, at: number): InputItem => {
    if (seen.has(id)) throw wrongField(["input", at, "id"], `Duplicate item found with id '${id.slice(0, 100)}'`);
    if (seen.size === MOST)
      throw wrongField(["input", at], `There may be ${MOST} references: send further items whole (store: false)`);
    seen.add(id);
    const found = keptItem(parts, call, id);
    if (!found) throw notKept(id, ["body", "input", at, "id"]);
    size += JSON.stringify(found).length;
    if (size > parts.bodyLimit) throw tooLarge(parts.bodyLimit);
    return readItem(found);
  };
}

/** Ids of items tell the job that they are of: `msg_JOB`, `fc_JOB_0`. Those of others are kept in a conversation alone. */
function keptItem(parts: OpenAiParts, call: Call, id: string): object | undefined {
  const [, name] = id.split("_");
  const job = name === undefined ? undefined : foundJob(parts, call, responseId({ id: asId<JobId>(name) }));
  return (job && itemsOfJob(job).find((item) => item.id === id)) ?? itemOfConversation(parts, call, id);
}

function itemOfConversation({ conversations }: OpenAiParts, { caller }: Call, id: string): object | undefined {
  const found = conversations.findItem(id);
  return found && (found.key === caller.id || caller.scope === "admin") ? found.item : undefined;
}

const itemsOfJob = (job: Job): { id: string }[] => [
  ...(job.status === "done" ? itemsOf(job.output as ChatOutput, job.id) : []), // of a chat pipeline, which foundJob saw to
  ...inputItemsOf(job),
];

function notKept(id: string, loc: FieldProblem["loc"]): ForecourtError {
  const msg = `Item with id '${id.slice(0, 100)}' not found: it is none of this key's, or is not kept. Send it whole instead (store: false)`;
  return new ForecourtError("not_found", msg, { problems: [{ loc, msg, type: "value_error" }] });
}
