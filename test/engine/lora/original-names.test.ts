import { expect, test } from "bun:test";
import { fromOriginalNames } from "../../../src/engine/lora/original-names.ts";

/** As diffusers' `_maybe_map_sgm_blocks_to_diffusers` and its names of residual blocks have them. */
const names = {
  input_blocks_4_1_transformer_blocks_0_attn1_to_q: "down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
  input_blocks_8_1_proj_in: "down_blocks_2_attentions_1_proj_in",
  input_blocks_1_0_in_layers_2: "down_blocks_0_resnets_0_conv1",
  input_blocks_3_0_op: "down_blocks_0_downsamplers_0_conv",
  input_blocks_0_0: "conv_in",
  middle_block_1_transformer_blocks_9_ff_net_2: "mid_block_attentions_0_transformer_blocks_9_ff_net_2",
  middle_block_2_out_layers_3: "mid_block_resnets_1_conv2",
  output_blocks_0_1_transformer_blocks_0_attn2_to_k: "up_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k",
  output_blocks_5_0_skip_connection: "up_blocks_1_resnets_2_conv_shortcut",
  output_blocks_5_2_conv: "up_blocks_1_upsamplers_0_conv",
  down_blocks_0_attentions_0_proj_in: "down_blocks_0_attentions_0_proj_in",
};

test.each(Object.entries(names))("%s is %s", (original, ours) => {
  expect(fromOriginalNames(original)).toBe(ours);
});
