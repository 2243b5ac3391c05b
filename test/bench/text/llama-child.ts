// The process that node-llama-cpp runs in: loads a model, answers prompts on one sequence each, tells when tokens came.
import { join } from "node:path";
import type { Answered } from "./engine.ts";

export type LlamaOrder =
  | { type: "load"; folder: string; model: string; threads: number; clients: number; context: number }
  | { type: "ask"; prompts: string[]; count: number };
export type LlamaReply = { type: "done"; answers: Answered[] } | { type: "failed"; message: string };

/** What is used of it. */
type Sequence = {
  evaluate(tokens: number[], options: { temperature: 0; yieldEogToken: true }): AsyncGenerator<number>;
  dispose(): void;
};
type Context = { getSequence(): Sequence };
type LlamaModel = {
  tokenize(text: string): number[];
  detokenize(tokens: number[]): string;
  createContext(options: {
    sequences: number;
    threads: number;
    contextSize: number;
    batchSize: number;
  }): Promise<Context>;
};
type Library = {
  getLlama(options: { gpu: false; build: "never"; logLevel: "error" }): Promise<{
    loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  }>;
};

let loaded: { model: LlamaModel; context: Context } | undefined;

async function obey(order: LlamaOrder): Promise<Answered[]> {
  if (order.type === "load") {
    const { getLlama }: Library = await import(join(order.folder, "node_modules/node-llama-cpp/dist/index.js"));
    const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
    const model = await llama.loadModel({ modelPath: order.model });
    const { clients, threads, context: contextSize } = order;
    loaded = {
      model,
      context: await model.createContext({ sequences: clients, threads, contextSize, batchSize: 512 }),
    };
    return [];
  }
  if (!loaded) throw new Error("nothing is loaded");
  const { model, context } = loaded;
  return await Promise.all(order.prompts.map((prompt) => answer({ model, context }, prompt, order.count)));
}

async function answer(
  { model, context }: { model: LlamaModel; context: Context },
  prompt: string,
  count: number,
): Promise<Answered> {
  const begin = performance.now();
  const sequence = context.getSequence();
  const answered: Answered = { first: 0, last: 0, tokens: 0, text: "" };
  const tokens: number[] = [];
  const options = { temperature: 0, yieldEogToken: true } as const;
  for await (const token of sequence.evaluate(model.tokenize(prompt), options)) {
    answered.last = performance.now() - begin;
    answered.first ||= answered.last;
    if (tokens.push(token) >= count) break;
  }
  sequence.dispose();
  return { ...answered, tokens: tokens.length, text: model.detokenize(tokens) };
}

process.on("message", async (order: LlamaOrder) => {
  const reply: LlamaReply = await obey(order).then(
    (answers) => ({ type: "done", answers }),
    (thrown) => ({ type: "failed", message: String(thrown) }),
  );
  process.send?.(reply);
});
