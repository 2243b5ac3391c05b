// An endpoint of fal's that is known here.
import type { PipelineName } from "../pipelines/registry.ts";
import type { EndpointDeclaration } from "./declaration.ts";

/** As in a model file, with the pipeline that it is of. */
export type FalEndpoint = { pipeline: PipelineName } & Omit<EndpointDeclaration, "like">;
