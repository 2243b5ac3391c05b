// The refusal of a sound that would take too long to hear, or fill the memory.
import { ForecourtError } from "../../core/errors.ts";

export function tooLong(longestSeconds: number, field: string): ForecourtError {
  const msg = `The audio is longer than ${longestSeconds} seconds`;
  return new ForecourtError("invalid_input", `${field}: ${msg}`, {
    problems: [{ loc: ["body", field], msg, type: "audio_duration_too_long", ctx: { max_duration: longestSeconds } }],
  });
}
