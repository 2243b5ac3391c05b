// What goes before each text: a prompt that the request writes, one of the model's by name, or the model's usual one.
import { ForecourtError } from "../../core/errors.ts";
import type { EmbedInput } from "./embed-fields.ts";
import type { TextFacts } from "./text-facts.ts";

/** Throws `invalid_input` for a name that the model has no prompt of. */
export function promptOf(
  { prompt, prompt_name: name }: Pick<EmbedInput, "prompt" | "prompt_name">,
  { prompts, defaultPrompt }: Pick<TextFacts, "prompts" | "defaultPrompt">,
): string {
  if (prompt !== undefined) return prompt;
  if (name === undefined) return defaultPrompt === undefined ? "" : (prompts[defaultPrompt] ?? "");
  if (Object.hasOwn(prompts, name)) return prompts[name] ?? "";
  const expected = Object.keys(prompts);
  const msg =
    expected.length > 0 ? `The model's prompts are ${expected.join(", ")}` : "The model has no prompts; use prompt";
  throw new ForecourtError("invalid_input", `prompt_name: ${msg}`, {
    problems: [{ loc: ["body", "prompt_name"], msg, type: "one_of", ctx: { expected }, input: name }],
  });
}
