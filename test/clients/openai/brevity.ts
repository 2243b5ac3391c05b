// What makes the demo model brief within JSON: it knows coloured shapes and would talk of them in any text that is asked for, so
// that no call of a tool would come to its end.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Ends of texts and objects, and the 3 that one of LangChain's tests wants, with what is added to their scores. */
const BIASES = { '"': 60, '",': 60, '"}': 60, '":': 61, "}": 40, "}}": 40, "3": 10 };

export const BRIEF = "test/brief";

/** A model file: the demo model, always brief. */
export const briefModel = async () => `
id: ${BRIEF}
title: Brief
description: The demo model with biases.
category: llm
licence: { id: Apache-2.0, commercial: true }
pipeline: chat
source: { embedded: demo/llama }
defaults: ${JSON.stringify({ temperature: 0, logit_bias: await brevity() })}
memory: { weights: 60000000, working: 30000000 }
price: { unit: token, amount: 0, currency: USD }
`;

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
