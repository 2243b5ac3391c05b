// Embeddings of texts, pictures and sounds: lists of numbers that lie near each other for what means the same.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline, type Task } from "../../core/pipeline.ts";
import type { EmbedDeclaration } from "../embedding/declaration.ts";
import { countOf, type EmbedInput, embedInput, embedOutput, mostEmbedded } from "../embedding/embed-fields.ts";
import { type EmbedRow, vectorsOf } from "../embedding/embed-rows.ts";
import { type Embedder, loadEmbedder } from "../embedding/embedder.ts";
import { shapeVector } from "../embedding/pooling.ts";
import { promptOf } from "../embedding/prompts.ts";
import { computeTogether } from "../embedding/together.ts";
import { fitting } from "../embedding/too-long.ts";

export const embed = {
  of: ({ embed: declared }: { embed?: EmbedDeclaration }) =>
    definePipeline({
      summary: "Turns texts, pictures and sounds into embeddings.",
      counts: ["input_tokens", "tokens", "images", "sounds"],
      input: embedInput,
      output: embedOutput,
      estimate: mostEmbedded,
      batchKey: () => "rows",
      async load(assets) {
        const model = await loadEmbedder(assets, declared);
        return async function* (tasks, signal) {
          const jobs = tasks.map((task) => rowsOfTask(task, model));
          const compute = (pass: readonly EmbedRow[]) => vectorsOf(pass, { model, codec: assets.codec, signal });
          for await (const { index, at, of, results } of computeTogether({ jobs, compute, signal })) {
            const [task, rows] = [tasks[index], jobs[index]];
            if (results && task && rows) yield { index, step: answer(task.input, rows, results) };
            else yield { index, step: { type: "progress", at, of } };
          }
        };
      },
    }),
};

/** Throws `invalid_input` for what the model does not read. */
function rowsOfTask(task: Task<EmbedInput>, model: Embedder): EmbedRow[] {
  const { input, truncate } = task.input;
  const prompt = promptOf(task.input, model.facts);
  return [input].flat().map((each, at): EmbedRow => {
    const loc = ["body", "input", ...(typeof input === "string" ? [] : [at])];
    if (typeof each === "string") {
      const most = model.facts.most;
      const text = fitting(model.tokenizer, [prompt + each], { most, truncate, loc, log: task.log });
      return { kind: "text", length: text.ids.length, text };
    }
    if ("audio_url" in each) {
      if (!model.sounds) throw notRead([...loc, "audio_url"], model);
      return { kind: "sound", length: SOUND_LENGTH, task, url: each.audio_url, loc: [...loc, "audio_url"] };
    }
    if (!model.pictures) throw notRead([...loc, "image_url"], model);
    return { kind: "picture", length: PICTURE_LENGTH, task, url: each.image_url, loc: [...loc, "image_url"] };
  });
}

/** Patches of a picture in a ViT-B/16: as many tokens. */
const PICTURE_LENGTH = 197;

/** Patches of ten seconds in HTSAT's first stage: few sounds go through at once. */
const SOUND_LENGTH = 4096 / 4;

function notRead(loc: (string | number)[], { pictures, sounds }: Embedder): ForecourtError {
  const msg = `This model reads ${pictures ? "texts and pictures" : sounds ? "texts and sounds" : "texts"} only`;
  return new ForecourtError("invalid_input", msg, { problems: [{ loc, msg, type: "value_error" }] });
}

function answer({ dimensions, normalize }: EmbedInput, rows: readonly EmbedRow[], vectors: readonly Float32Array[]) {
  const [width = 0] = vectors.map(({ length }) => length);
  if (dimensions !== undefined && dimensions > width) throw tooMany(width);
  const texts = rows.filter((row) => row.kind === "text");
  const tokens = texts.reduce((sum, { length }) => sum + length, 0);
  const embeddings = vectors.map((vector) => shapeVector(vector, { dimensions, normalize }));
  const value = { embeddings, usage: { prompt_tokens: tokens, total_tokens: tokens } };
  const sounds = rows.filter((row) => row.kind === "sound").length;
  const units = countOf({ tokens, images: rows.length - texts.length - sounds, sounds });
  return { type: "output" as const, value, units };
}

function tooMany(width: number): ForecourtError {
  const msg = `Input should be less than or equal to ${width}`;
  const problem = { loc: ["body", "dimensions"], msg, type: "less_than_equal", ctx: { le: width } };
  return new ForecourtError("invalid_input", `dimensions: ${msg}`, { problems: [problem] });
}
