// Which of a voice's languages a caller means.
import { ForecourtError } from "../../core/errors.ts";

/**
 * By BCP 47 codes: the same one, else one of the same language where either names no region (`pt` and `pt-BR`); the first
 * of several. Throws `invalid_input` with all of them.
 */
export function chosenLanguage(wanted: string, languages: readonly string[]): string {
  const code = wanted.toLowerCase().replaceAll("_", "-");
  const bare = (each: string) => each.split("-")[0];
  const found =
    languages.find((each) => each === code) ?? languages.find((each) => bare(each) === code || each === bare(code));
  if (found !== undefined) return found;
  const msg = `The model does not read "${wanted}"; it reads ${[...new Set(languages)].join(", ")}`;
  throw new ForecourtError("invalid_input", `language: ${msg}`, {
    problems: [{ loc: ["body", "language"], msg, type: "value_error", input: wanted }],
  });
}
