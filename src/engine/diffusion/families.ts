// Every family by the pipeline classes that a model_index.json names in `_class_name`.
import { ForecourtError } from "../../core/errors.ts";
import { loadFlux } from "./family/flux.ts";
import { loadFlux2 } from "./family/flux-2.ts";
import { loadStableDiffusion } from "./family/stable-diffusion.ts";
import { loadStableDiffusion3 } from "./family/stable-diffusion-3.ts";
import { loadStableDiffusionXl } from "./family/stable-diffusion-xl.ts";
import type { LoadFamily } from "./family.ts";
import type { Repository } from "./repository.ts";

const families = {
  StableDiffusionPipeline: loadStableDiffusion,
  StableDiffusionImg2ImgPipeline: loadStableDiffusion,
  StableDiffusionInpaintPipeline: loadStableDiffusion,
  StableDiffusionControlNetPipeline: loadStableDiffusion,
  LatentConsistencyModelPipeline: loadStableDiffusion,
  StableDiffusionXLPipeline: loadStableDiffusionXl,
  StableDiffusionXLImg2ImgPipeline: loadStableDiffusionXl,
  StableDiffusionXLInpaintPipeline: loadStableDiffusionXl,
  StableDiffusionXLControlNetPipeline: loadStableDiffusionXl,
  StableDiffusion3Pipeline: loadStableDiffusion3,
  StableDiffusion3Img2ImgPipeline: loadStableDiffusion3,
  StableDiffusion3InpaintPipeline: loadStableDiffusion3,
  FluxPipeline: loadFlux,
  FluxImg2ImgPipeline: loadFlux,
  FluxInpaintPipeline: loadFlux,
  Flux2KleinPipeline: loadFlux2,
} as const satisfies Record<string, LoadFamily>;

type ClassName = keyof typeof families;
const isKnown = (name: string): name is ClassName => Object.hasOwn(families, name);

/**
 * Of the class in model_index.json; a repository without one is taken for a FLUX.2 klein where it has a transformer, else
 * for a Stable Diffusion 1. Throws `misconfigured` for other classes.
 */
export async function familyOf(repository: Repository): Promise<LoadFamily> {
  const { _class_name: given } = await repository.optional<{ _class_name: string }>("model_index.json");
  const className = given ?? (repository.has("transformer") ? "Flux2KleinPipeline" : "StableDiffusionPipeline");
  // optimum and the legacy script put their own marks before diffusers' names.
  const name = className.replace(/^(ORT|Onnx)/, "");
  if (isKnown(name)) return families[name];
  const known = Object.keys(families).join(", ");
  throw new ForecourtError("misconfigured", `model_index.json: ${className} is not supported; there are ${known}`);
}
