// VITS and MMS: letters to sound in one graph.
import { invariant } from "../../core/errors.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { expectReadable, knownBy } from "./readable.ts";
import { stretch } from "./stretch.ts";
import { tokenIds } from "./token-ids.ts";
import type { LoadVoice } from "./voice.ts";

const DEFAULT_RATE = 16_000;

export const loadVits: LoadVoice = async (assets, config) => {
  const tokenizer = await assets.transformers("AutoTokenizer");
  const graph = await assets.graph("onnx/model.onnx");
  const port = (name: string) => requirePort(graph.inputs, { names: [name], of: "VITS model" });
  const ids = port("input_ids");
  const mask = graph.inputs.find(({ name }) => name === "attention_mask");
  const speaker = graph.inputs.find(({ name }) => name === "speaker_id");
  const speakers = speaker ? Number(config.num_speakers ?? 1) : 0;
  return {
    rate: Number(config.sampling_rate ?? DEFAULT_RATE),
    longest: 500,
    voices: Array.from({ length: speakers }, (_, i) => String(i)),
    expectReadable: (text) => expectReadable(text, knownBy(tokenizer)),
    async speak({ text, voice = "0", speed }) {
      const tokens = await tokenIds(tokenizer, text);
      if (tokens.length === 0) return new Float32Array();
      const shape = [1, tokens.length];
      const results = await graph.run({
        [ids.name]: tensorOf(ids.dtype, shape, tokens),
        ...(mask && {
          [mask.name]: tensorOf(
            mask.dtype,
            shape,
            tokens.map(() => 1),
          ),
        }),
        ...(speaker && { [speaker.name]: tensorOf(speaker.dtype, [1], [Number(voice)]) }),
      });
      const { waveform } = results;
      invariant(waveform, "a VITS graph gives waveform");
      // The speed of the model is part of its graph.
      return stretch(toFloats(waveform), speed);
    },
  };
};
