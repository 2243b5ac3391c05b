// fal's endpoints of Florence-2, one for each task (fal-protocol.md 12).
import { factsOf, type TaskName, taskNames } from "../../florence/tasks.ts";
import type { FalEndpoint } from "../fal-endpoint.ts";

/** Tasks whose answers hold places come with a picture that shows them. */
function endpointOf(task: TaskName): FalEndpoint {
  const { needs, answers } = factsOf(task);
  return {
    pipeline: "read-image",
    inputs: { image_url: {}, ...(needs && { [needs]: { required: true } }) },
    fixed: { task },
    outputs: { results: {}, ...(answers !== "text" && { image: {} }) },
  };
}

export const florence: Record<string, FalEndpoint> = Object.fromEntries(
  taskNames.map((task) => [`fal-ai/florence-2-large/${task}`, endpointOf(task)]),
);
