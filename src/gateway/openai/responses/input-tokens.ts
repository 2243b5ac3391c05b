// How many tokens a response would read: a job of the model's, whose tokenizer and template alone know, that reads none of them.
import type { ChatOutput } from "../../../engine/generation/chat-fields.ts";
import type { Call } from "../../fal/call.ts";
import { chosenModel } from "../chosen-model.ts";
import { answerHeaders } from "../headers.ts";
import { beginJobs, finishedJobs, type OpenAiParts } from "../runs.ts";
import type { InputTokensBody } from "./body.ts";
import { saidIn } from "./said.ts";
import { inputOf } from "./translate.ts";

export async function countInputTokens(parts: OpenAiParts, call: Call, body: InputTokensBody): Promise<Response> {
  const chosen = chosenModel(parts, body.model, "chat");
  const { before, said } = saidIn(parts, call, body);
  const inputs = [{ ...inputOf(body, [...before, ...said]), max_tokens: 0 }];
  const jobs = await beginJobs(parts, call, { ...chosen, inputs, isFollowed: false, keepsPayload: false });
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const counted = done.map(({ output }) => (output as ChatOutput).usage.prompt_tokens); // of a chat pipeline: chosenModel
  const answer = { object: "response.input_tokens", input_tokens: counted[0] };
  return Response.json(answer, { headers: answerHeaders(parts, done) });
}
