// Both engines on one model, by turns, so that what else the machine does hits both alike.
import { type Answered, type Engine, type Figures, figuresOf, promptsOf } from "./engine.ts";
import { startForecourt } from "./forecourt-engine.ts";
import { installedLlama, startLlama } from "./llama-engine.ts";
import { madeModels, SHAPES, type ShapeName } from "./models.ts";

export type Comparison = {
  shape: ShapeName;
  threads: number;
  promptTokens: number;
  answerTokens: number;
  /** Share of the questions to which both engines gave the same words: they round on the way, each in its own manner. */
  alike: number;
  /** By engine, one for each number of clients: of several rounds the one with the most tokens per second. */
  engines: Record<string, { version: string; figures: Figures[] }>;
};

export type Wanted = {
  shape: ShapeName;
  threads: number;
  clients: readonly number[];
  promptTokens: number;
  answerTokens: number;
  rounds: number;
  say(text: string): void;
};

/** What is missing, in words, where one of the engines or the models cannot be had. */
export async function compare(wanted: Wanted): Promise<Comparison | { missing: string }> {
  const { shape, threads, clients, promptTokens, answerTokens, say } = wanted;
  say(`models of the shape ${shape}`);
  const models = madeModels(shape);
  if (!models) return { missing: "python3 with venv, or the packages onnx and gguf, are not to be had here" };
  const folder = installedLlama();
  if (!folder) return { missing: "node-llama-cpp is not to be had here" };
  await using ours = await startForecourt(models, { threads });
  const context = Math.min(SHAPES[shape].context, 2 * (promptTokens + answerTokens));
  await using theirs = await startLlama(folder, models, { threads, clients: Math.max(...clients), context });
  const engines = [ours, theirs];
  for (const engine of engines) {
    say(`${engine.name} loads`);
    await engine.ask(promptsOf(1, 4, 9), 2);
  }
  const best = new Map<string, Figures>();
  const texts = new Map<string, string[]>();
  for (let round = 0; round < wanted.rounds; round++)
    for (const count of clients)
      for (const engine of engines) {
        const before = await engine.cpuSeconds();
        const answers = await answersOf(engine, { ...wanted, count, round });
        const figures = figuresOf(answers, (await engine.cpuSeconds()) - before);
        texts.set(engine.name, [...(texts.get(engine.name) ?? []), ...answers.map(({ text }) => text)]);
        say(sentenceOf(engine, figures));
        const key = `${engine.name} ${count}`;
        if (figures.tokensPerSecond > (best.get(key)?.tokensPerSecond ?? 0)) best.set(key, figures);
      }
  const resultOf = ({ name, version }: Engine) => {
    const figures = clients.flatMap((count) => best.get(`${name} ${count}`) ?? []);
    return [name, { version, figures }] as const;
  };
  const [own = [], others = []] = engines.map(({ name }) => texts.get(name));
  const alike = own.filter((text, i) => text === others[i]).length / own.length;
  return { shape, threads, promptTokens, answerTokens, alike, engines: Object.fromEntries(engines.map(resultOf)) };
}

const sentenceOf = ({ name }: Engine, { clients, tokensPerSecond, firstTokenMs, cpuSeconds }: Figures) =>
  `${name}, ${clients} at once: ${tokensPerSecond} tokens/s, first after ${firstTokenMs} ms, ${cpuSeconds} s of a processor`;

type Round = Pick<Wanted, "promptTokens" | "answerTokens"> & { count: number; round: number };

async function answersOf(engine: Engine, { count, round, promptTokens, answerTokens }: Round): Promise<Answered[]> {
  // One client and eight ask other things: nothing of it was read before.
  const answers = await engine.ask(promptsOf(count, promptTokens, 2 * round + (count === 1 ? 0 : 1)), answerTokens);
  const short = answers.find(({ tokens }) => tokens !== answerTokens);
  if (short) throw new Error(`${engine.name} answered ${short.tokens} tokens in place of ${answerTokens}`);
  return answers;
}
