// The prompts of a drawing as its model reads them: what to draw, and with guidance what to keep away from.
import type { Condition } from "./condition.ts";
import type { DiffusionModel } from "./diffusion-model.ts";
import type { DrawingInput } from "./drawing-fields.ts";

export type DrawingPrompts = { prompt: Condition; negative?: Condition };

type Asked = Pick<DrawingInput, "prompt" | "negative_prompt" | "guidance_scale" | "clip_skip" | "prompt_weighting">;

/** Both have the same number of tokens: the shorter one is followed by readings of nothing. */
export async function readPrompts(model: DiffusionModel, asked: Asked): Promise<DrawingPrompts> {
  const { clip_skip: clipSkip, prompt_weighting: isWeighted } = asked;
  const read = (text: string, { isNegative, readings }: { isNegative: boolean; readings: number }) =>
    model.encode({ text, isNegative, clipSkip, isWeighted, readings });
  const prompt = await read(asked.prompt, { isNegative: false, readings: 1 });
  if (model.guidance !== "two-prompts" || asked.guidance_scale <= 1) return { prompt };
  const negative = await read(asked.negative_prompt, { isNegative: true, readings: prompt.readings });
  if (negative.readings === prompt.readings) return { prompt, negative };
  return { prompt: await read(asked.prompt, { isNegative: false, readings: negative.readings }), negative };
}
