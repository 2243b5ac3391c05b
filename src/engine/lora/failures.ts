// What can be wrong with a LoRA that a caller names.
import { ForecourtError } from "../../core/errors.ts";

export function unreadableLora(why: string): ForecourtError {
  return badLora(`The LoRA cannot be read: ${why}`);
}

export function badLora(msg: string): ForecourtError {
  return new ForecourtError("invalid_input", msg, {
    problems: [{ loc: ["body", "loras"], msg, type: "value_error" }],
  });
}
