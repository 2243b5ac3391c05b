// Which of a model's actions a prompt asks for: its own word in any of the forms that English verbs take.
import { ForecourtError } from "../../core/errors.ts";

export type Asked = {
  /** Its place in the vocabulary. */
  action: number;
  /** Words of the prompt that the model knows nothing of. */
  ignored: string[];
};

/** Throws `invalid_input`, with the words there are, for a prompt that asks for none or for several. */
export function actionOf(prompt: string, vocabulary: readonly string[]): Asked {
  const words = prompt.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const found = words.map((word) => vocabulary.findIndex((action) => formsOf(action.toLowerCase()).includes(word)));
  const actions = [...new Set(found.filter((at) => at >= 0))];
  const [action] = actions;
  if (action === undefined) throw refused("names no action that this model knows", vocabulary);
  if (actions.length > 1) {
    const several = actions.map((at) => vocabulary[at]).join(" and ");
    throw refused(`names ${several}, and this model moves by one at a time`, vocabulary);
  }
  return { action, ignored: words.filter((_, i) => found[i] === -1) };
}

/** walk: walks, walked, walking; wave: waving; jog: jogging; carry: carries. */
function formsOf(action: string): string[] {
  const stem = action.replace(/e$/, "");
  const doubled = /[^aeiou][aeiou][bdgklmnprt]$/.test(action) ? action + action.slice(-1) : action;
  const soft = action.replace(/([^aeiou])y$/, "$1i");
  return [
    ...[action, `${action}s`, `${action}es`, `${soft}es`],
    ...[`${stem}ing`, `${doubled}ing`, `${stem}ed`, `${doubled}ed`, `${soft}ed`],
  ];
}

function refused(why: string, vocabulary: readonly string[]): ForecourtError {
  const msg = `The prompt ${why}. Name one of: ${vocabulary.join(", ")}`;
  const problem = { loc: ["body", "prompt"], msg, type: "one_of", ctx: { expected: [...vocabulary] } };
  return new ForecourtError("invalid_input", `prompt: ${msg}`, { problems: [problem] });
}
