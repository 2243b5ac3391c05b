// Spotify's Basic Pitch: one bare graph, known by its name.
import type { Family } from "./finding.ts";
import { pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

/** As its authors call it, in whatever folder. */
const GRAPH = "nmp.onnx";
/** What is heard of the longest recording, and what its notes are found by. */
const WORKING_BYTES = 800e6;

const pathOf = ({ files }: Repository) => files.find(({ path }) => path.split("/").at(-1) === GRAPH)?.path;

/** Such repositories say nothing of themselves. */
export const hasBasicPitch = (repository: Repository) => pathOf(repository) !== undefined;

export const basicPitch: Family = (repository, wishes) => {
  const graph = pickGraph(repository, { graph: pathOf(repository) ?? GRAPH, ...wishes, dtype: "fp32" });
  return {
    pipeline: "audio-to-midi",
    category: "audio-to-audio",
    description: "Writes down the notes of a recording as a MIDI file",
    graphs: { [GRAPH]: graph },
    files: graph.files,
    defaults: {},
    working: WORKING_BYTES,
    unit: "second",
    unsure: [`By the name of ${graph.path} it is Basic Pitch.`],
  };
};
