// CLAP in transformers.js' layout: a tower for texts and one for sounds, in one graph or in one each. models.md 3.5.
import { type Family, type Finding, requireFiles, tokenizerFiles } from "./finding.ts";
import { type PickedGraph, pickGraphs } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";
import { towerGraphs } from "./towers.ts";

const GRAPH = "onnx/model.onnx";
/** Activations of one sound through HTSAT and of 64 texts, rounded up. */
const WORKING_BYTES = 600e6;
const PLACES = 8;

export const clap: Family = (repository, wishes) => ({
  ...found(repository, pickGraphs(repository, [GRAPH], wishes)),
  pipeline: "audio-text-similarity",
  category: "audio-classification",
  description: "Says how well texts describe a sound",
  unit: "sound",
});

/** The same for who wants its embeddings. */
export const clapTowers: Family = (repository, wishes) => ({
  ...found(repository, towerGraphs(repository, ["onnx/text_model.onnx", "onnx/audio_model.onnx"], wishes)),
  pipeline: "embed",
  category: "embedding",
  description: "Turns texts and sounds into embeddings",
  limits: { maxBatch: PLACES },
  unit: "request",
});

const found = (
  repository: Repository,
  graphs: Record<string, PickedGraph>,
): Pick<Finding, "graphs" | "files" | "defaults" | "working" | "unsure"> => ({
  graphs,
  files: [
    ...requireFiles(repository, ["config.json", "preprocessor_config.json"]),
    ...tokenizerFiles(repository, ""),
    ...Object.values(graphs).flatMap(({ files }) => files),
  ],
  defaults: {},
  working: WORKING_BYTES,
  unsure: [],
});
