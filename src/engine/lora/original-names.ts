// Names of a UNet's modules in Stability's own code, which files of kohya's trainer use for SDXL, as diffusers calls them.

/** Layers and the one that changes the size in each of the UNet's levels, of Stable Diffusion XL. */
const PER_LEVEL = 3;

/** Parts of a residual block. */
const RESIDUAL: readonly [RegExp, string][] = [
  [/_in_layers_0$/, "_norm1"],
  [/_in_layers_2$/, "_conv1"],
  [/_emb_layers_1$/, "_time_emb_proj"],
  [/_out_layers_0$/, "_norm2"],
  [/_out_layers_3$/, "_conv2"],
  [/_skip_connection$/, "_conv_shortcut"],
];

/** `key` has "_" between its parts; names that are diffusers' already stay as they are. */
export function fromOriginalNames(key: string): string {
  const blocks = /^(input|output)_blocks_(\d+)_(\d+)(?:_(.*))?$/.exec(key);
  if (blocks) {
    const [, side, level = "", inner = "", rest = ""] = blocks;
    return side === "input" ? inputBlock(Number(level), inner, rest) : outputBlock(Number(level), inner, rest);
  }
  const middle = /^middle_block_(\d)_(.*)$/.exec(key);
  if (!middle) return key;
  const [, at = "", rest = ""] = middle;
  return at === "1" ? `mid_block_attentions_0_${rest}` : residual(`mid_block_resnets_${Number(at) / 2}_${rest}`);
}

function inputBlock(at: number, inner: string, rest: string): string {
  if (at === 0) return "conv_in";
  const [level, layer] = [Math.floor((at - 1) / PER_LEVEL), (at - 1) % PER_LEVEL];
  if (rest === "op") return `down_blocks_${level}_downsamplers_0_conv`;
  return layerOf(`down_blocks_${level}`, layer, inner, rest);
}

function outputBlock(at: number, inner: string, rest: string): string {
  const [level, layer] = [Math.floor(at / PER_LEVEL), at % PER_LEVEL];
  if (rest === "conv") return `up_blocks_${level}_upsamplers_0_conv`;
  return layerOf(`up_blocks_${level}`, layer, inner, rest);
}

const layerOf = (block: string, layer: number, inner: string, rest: string) =>
  inner === "1" ? `${block}_attentions_${layer}_${rest}` : residual(`${block}_resnets_${layer}_${rest}`);

const residual = (key: string) => RESIDUAL.reduce((name, [original, ours]) => name.replace(original, ours), key);
