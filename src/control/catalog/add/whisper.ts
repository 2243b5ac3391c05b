// Whisper in transformers.js' layout. models.md 4.1.
import { type Family, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraphs } from "./pick-graph.ts";

const GRAPHS = ["encoder_model", "decoder_model_merged"].map((name) => `onnx/${name}.onnx`);
/** Keys and values of a window of 30 seconds in the largest, what words' times follow from, and an hour of sound. */
const WORKING_BYTES = 1.5e9;

const WITHOUT_WORDS =
  "Words' times need an export whose name ends in _timestamped; by its name this one tells segments' times only.";

export const whisper: Family = (repository, wishes) => {
  const graphs = pickGraphs(repository, GRAPHS, wishes);
  const tellsWords = /timestamped/i.test(repository.repo);
  return {
    pipeline: "transcribe",
    category: "speech-to-text",
    description: "Writes down what is said in a recording",
    graphs,
    files: [
      ...requireFiles(repository, ["config.json", "generation_config.json", "preprocessor_config.json"]),
      ...tokenizerFiles(repository, ""),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: {},
    working: WORKING_BYTES,
    unit: "second",
    unsure: [
      "For fal's endpoints add them to its aliases: fal-ai/whisper, fal-ai/wizper.",
      ...(tellsWords ? [] : [WITHOUT_WORDS]),
    ],
  };
};
