// How well texts describe a sound, with a model of the CLAP family: names for sounds that nobody trained it on.
import { invariant } from "../../core/errors.ts";
import { type Assets, definePipeline, type Task } from "../../core/pipeline.ts";
import { mediaUrl, type Static, Type } from "../../core/schema.ts";
import { readTextFacts } from "../embedding/text-facts.ts";
import { feedsOfRows } from "../embedding/text-rows.ts";
import { fitting } from "../embedding/too-long.ts";
import { hearSound, loadClapFeatures, soundFeeds } from "../hearing/sounds.ts";
import { cosine } from "../tensor/cosine.ts";
import { softmax } from "../tensor/softmax.ts";
import { toFloats } from "../tensor/tensor.ts";
import { loadEncoderTokenizer } from "../text/encoder-tokenizer.ts";

const input = Type.Object({
  audio_url: mediaUrl("audio", "The sound: URL or data URI of a wav, mp3, flac, ogg, m4a or webm file."),
  texts: Type.Array(Type.String({ minLength: 1, maxLength: 20_000 }), {
    minItems: 1,
    maxItems: 64,
    description: "Names or descriptions to compare with the sound.",
  }),
  template: Type.String({
    default: "This is a sound of {}.",
    maxLength: 1000,
    description: "What is read for each text, `{}` being the text; `{}` alone reads it as it is.",
  }),
  truncate: Type.Boolean({ default: false, description: "Cut texts that are too long, instead of refusing them." }),
});

const perText = (description: string) =>
  Type.Array(Type.Number(), { description: `${description}, in the order of the texts.` });

const output = Type.Object({
  label: Type.String({ description: "The text that describes it best." }),
  scores: perText("Share of each text among all, from 0 to 1 (softmax of the logits)"),
  logits: perText("The model's own score of each text"),
  similarities: perText("Cosine between the sound's embedding and each text's, from -1 to 1"),
});

type Input = Static<typeof input>;

export const audioTextSimilarity = definePipeline({
  summary: "Scores how well each of several texts describes a sound.",
  counts: ["sounds", "texts"],
  input,
  output,
  estimate: ({ texts }) => ({ sounds: 1, texts: texts.length, requests: 1 }),
  async load(assets) {
    const compare = await loadClap(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { texts } = task.input;
        const { logits, similarities } = await compare(task, signal);
        const best = logits.indexOf(Math.max(...logits));
        const value = { label: texts[best] ?? "", scores: softmax(logits), logits, similarities };
        const units = { sounds: 1, texts: texts.length, requests: 1 };
        yield { index, step: { type: "output", value, units } };
      }
    };
  },
});

/** transformers.js' layout: tokenizer and configs in the root, the graph of both towers in onnx/. */
async function loadClap(assets: Assets) {
  const tokenizer = await loadEncoderTokenizer(assets);
  const { most } = await readTextFacts(assets);
  const features = await loadClapFeatures(assets);
  const graph = await assets.graph("onnx/model.onnx");
  return async (task: Task<Input>, signal: AbortSignal) => {
    const { audio_url: url, texts, template, truncate } = task.input;
    const rows = texts.map((text, at) =>
      fitting(tokenizer, [template.replaceAll("{}", () => text)], {
        most,
        truncate,
        loc: ["body", "texts", at],
        log: task.log,
      }),
    );
    const heard = await hearSound({ task, url, field: "audio_url", features, signal });
    const results = await graph.run({
      ...feedsOfRows(graph, rows, { padding: tokenizer.padding }),
      ...soundFeeds(graph, features, [heard]),
    });
    const got = (name: string) => {
      const tensor = results[name];
      invariant(tensor, `a CLAP graph gives ${name}`);
      return toFloats(tensor);
    };
    const [sound, words] = [got("audio_embeds"), got("text_embeds")];
    const width = sound.length;
    return {
      logits: Array.from(got("logits_per_audio")),
      similarities: texts.map((_, at) => cosine(sound, words.subarray(at * width, (at + 1) * width))),
    };
  };
}
