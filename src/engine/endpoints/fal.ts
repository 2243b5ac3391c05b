// Endpoints of fal's that are known here, by id: a model with such an alias is called in fal's own words under it.
import { chatterbox } from "./fal/chatterbox.ts";
import { florence } from "./fal/florence.ts";
import { flux } from "./fal/flux.ts";
import { imageTools } from "./fal/image-tools.ts";
import { kokoro } from "./fal/kokoro.ts";
import { lora } from "./fal/lora.ts";
import { moondream } from "./fal/moondream.ts";
import { music } from "./fal/music.ts";
import { speech } from "./fal/speech.ts";
import { stableDiffusion3 } from "./fal/stable-diffusion-3.ts";
import { stableDiffusionXl } from "./fal/stable-diffusion-xl.ts";
import { threeDimensional } from "./fal/three-dimensional.ts";
import { video } from "./fal/video.ts";
import { whisper } from "./fal/whisper.ts";
import type { FalEndpoint } from "./fal-endpoint.ts";

export const falEndpoints: Readonly<Record<string, FalEndpoint>> = {
  ...flux,
  ...stableDiffusion3,
  ...stableDiffusionXl,
  ...speech,
  ...lora,
  ...imageTools,
  ...florence,
  ...moondream,
  ...music,
  ...chatterbox,
  ...kokoro,
  ...video,
  ...whisper,
  ...threeDimensional,
};
