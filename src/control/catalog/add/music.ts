// MusicGen in transformers.js' layout: text encoder, decoder of codes, EnCodec's decoder. models.md 3.7.
import { type Family, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraphs } from "./pick-graph.ts";

const GRAPHS = ["text_encoder", "decoder_model_merged", "encodec_decode"].map((name) => `onnx/${name}.onnx`);
/** Keys and values of 30 seconds with guidance, those of two steps at a time, by 24 layers of 1024; then EnCodec over all of it. */
const WORKING_BYTES = 1.5e9;

export const music: Family = (repository, wishes) => {
  const graphs = pickGraphs(repository, GRAPHS, wishes);
  return {
    pipeline: "make-music",
    category: "text-to-audio",
    description: "Makes music and sounds from a description",
    graphs,
    files: [
      ...requireFiles(repository, ["config.json"]),
      ...tokenizerFiles(repository, ""),
      ...present(repository, ["generation_config.json"]),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: {},
    working: WORKING_BYTES,
    unit: "second",
    unsure: ["For fal's endpoints of music add them to its aliases: fal-ai/stable-audio and so on."],
  };
};
