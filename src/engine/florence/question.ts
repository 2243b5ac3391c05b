// The words that Florence-2 reads beside a picture, from a job's input.
import { ForecourtError } from "../../core/errors.ts";
import type { ReadImageInput } from "./florence-fields.ts";
import { factsOf } from "./tasks.ts";

/** Throws `invalid_input` for a task without what it needs, and for one that is given what it does not take. */
export function questionOf({ task, text_input: text, region }: ReadImageInput): string {
  const { prompt, needs } = factsOf(task);
  if (needs !== "text_input" && text !== undefined) throw wrong("text_input", `The task ${task} takes no text_input`);
  if (needs !== "region" && region !== undefined) throw wrong("region", `The task ${task} takes no region`);
  if (needs === undefined) return prompt;
  if (needs === "text_input") {
    if (text === undefined) throw wrong("text_input", `Field required by the task ${task}`, "missing");
    return withInput(prompt, text.trim());
  }
  if (!region) throw wrong("region", `Field required by the task ${task}`, "missing");
  const { x1, y1, x2, y2 } = region;
  return withInput(prompt, [x1, y1, x2, y2].map((bin) => `<loc_${bin}>`).join(""));
}

const withInput = (prompt: string, input: string) => prompt.split("{input}").join(input);

export function wrong(field: string, msg: string, type = "value_error"): ForecourtError {
  return new ForecourtError("invalid_input", `${field}: ${msg}`, { problems: [{ loc: ["body", field], msg, type }] });
}
