// Every family by the pipeline classes that a model_index.json names in `_class_name`.
import { ForecourtError } from "../../core/errors.ts";
import { loadFlux } from "./family/flux.ts";
import { loadStableDiffusion } from "./family/stable-diffusion.ts";
import { loadStableDiffusion3 } from "./family/stable-diffusion-3.ts";
import { loadStableDiffusionXl } from "./family/stable-diffusion-xl.ts";
import type { LoadFamily } from "./family.ts";

const families = {
  StableDiffusionPipeline: loadStableDiffusion,
  StableDiffusionImg2ImgPipeline: loadStableDiffusion,
  StableDiffusionInpaintPipeline: loadStableDiffusion,
  LatentConsistencyModelPipeline: loadStableDiffusion,
  StableDiffusionXLPipeline: loadStableDiffusionXl,
  StableDiffusionXLImg2ImgPipeline: loadStableDiffusionXl,
  StableDiffusionXLInpaintPipeline: loadStableDiffusionXl,
  StableDiffusion3Pipeline: loadStableDiffusion3,
  StableDiffusion3Img2ImgPipeline: loadStableDiffusion3,
  StableDiffusion3InpaintPipeline: loadStableDiffusion3,
  FluxPipeline: loadFlux,
  FluxImg2ImgPipeline: loadFlux,
  FluxInpaintPipeline: loadFlux,
} as const satisfies Record<string, LoadFamily>;

type ClassName = keyof typeof families;
const isKnown = (name: string): name is ClassName => Object.hasOwn(families, name);

/** A repository without model_index.json is taken for a Stable Diffusion 1. Throws `misconfigured` for other classes. */
export function familyOf(className = "StableDiffusionPipeline"): LoadFamily {
  // optimum and the legacy script put their own marks before diffusers' names.
  const name = className.replace(/^(ORT|Onnx)/, "");
  if (isKnown(name)) return families[name];
  const known = Object.keys(families).join(", ");
  throw new ForecourtError("misconfigured", `model_index.json: ${className} is not supported; there are ${known}`);
}
