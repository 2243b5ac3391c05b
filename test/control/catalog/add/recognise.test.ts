// From a repository's listing and configs to a model file: real layouts, by the facts that are known of them.
import { describe, expect, test } from "bun:test";
import { recognise } from "../../../../src/control/catalog/add/recognise.ts";
import type { Repository } from "../../../../src/control/catalog/add/repository.ts";
import type { DeviceKind } from "../../../../src/core/device.ts";
import type { Dtype } from "../../../../src/engine/dtypes.ts";
import { failureOf } from "../../weights/setting.ts";
import { draftOn, everywhere } from "./repository-of.ts";

const COMMIT = "c".repeat(40);
const MB = 1e6;
const PNDM = { _class_name: "PNDMScheduler", skip_prk_steps: true, steps_offset: 1, beta_schedule: "scaled_linear" };

/** `tree`: megabytes by path. */
const repository = (
  repo: string,
  { tree, configs, licence }: { tree: Record<string, number>; configs: Repository["configs"]; licence?: string },
): Repository => ({
  repo,
  commit: COMMIT,
  files: Object.entries(tree).map(([path, size]) => ({ path, bytes: Math.round(size * MB) })),
  configs,
  ...(licence && { licence }),
});

const words = { "tokenizer/vocab.json": 1, "tokenizer/merges.txt": 0.5, "tokenizer/tokenizer_config.json": 0.001 };
const small = { "model_index.json": 0.001, "scheduler/scheduler_config.json": 0.001, ...words };
const configs = {
  "model_index.json": { _class_name: "OnnxStableDiffusionPipeline" },
  "scheduler/scheduler_config.json": PNDM,
};

const legacy = repository("onnx-community/stable-diffusion-v1-5-ONNX", {
  licence: "creativeml-openrail-m",
  configs,
  tree: {
    ".gitattributes": 0.001,
    "README.md": 0.01,
    ...small,
    "feature_extractor/preprocessor_config.json": 0.001,
    "safety_checker/model.onnx": 1200,
    "text_encoder/model.onnx": 493,
    "unet/model.onnx": 1.09,
    "unet/weights.pb": 3440,
    "vae_decoder/model.onnx": 198,
    "vae_encoder/model.onnx": 137,
  },
});

const optimum = repository("someone/sd-turbo-onnx", {
  licence: "sai-nc-community",
  configs: {
    "model_index.json": { _class_name: "StableDiffusionPipeline" },
    "scheduler/scheduler_config.json": { _class_name: "EulerDiscreteScheduler", timestep_spacing: "trailing" },
    "unet/config.json": { sample_size: 64, attention_head_dim: [5, 10, 20, 20], time_cond_proj_dim: null },
    "vae_decoder/config.json": { block_out_channels: [128, 256, 512, 512], scaling_factor: 0.18215 },
  },
  tree: {
    ...small,
    "unet/config.json": 0.002,
    "unet/diffusion_pytorch_model.safetensors": 1730,
    "unet/model.onnx": 2,
    "unet/model.onnx_data": 2000,
    "unet/model.onnx_data_1": 1440,
    "text_encoder/model.onnx": 1360,
    "text_encoder/openvino_model.xml": 1,
    "vae_decoder/config.json": 0.001,
    "vae_decoder/model.onnx": 198,
  },
});

const clipTree = {
  "config.json": 0.004,
  "preprocessor_config.json": 0.001,
  "tokenizer.json": 2.2,
  "tokenizer_config.json": 0.001,
  "vocab.json": 0.9,
  "merges.txt": 0.5,
  "onnx/model.onnx": 606,
  "onnx/model_fp16.onnx": 304,
  "onnx/model_quantized.onnx": 154,
  "onnx/text_model.onnx": 254,
  "onnx/vision_model.onnx": 352,
};
const clipConfig = { "config.json": { model_type: "clip", architectures: ["CLIPModel"], projection_dim: 512 } };
const clip = (changes: Record<string, number | undefined> = {}) => {
  const kept = Object.entries({ ...clipTree, ...changes }).flatMap(([path, size]) => (size ? [[path, size]] : []));
  return repository("Xenova/clip-vit-base-patch32", { tree: Object.fromEntries(kept), configs: clipConfig });
};

const pathsOf = (draft: ReturnType<typeof recognise>, kind?: DeviceKind) =>
  draftOn(draft, kind)
    .files.map(({ path }) => path)
    .sort();
const megabytes = (draft: ReturnType<typeof recognise>) =>
  draftOn(draft).files.reduce((sum, { bytes }) => sum + bytes, 0) / MB;

describe("Stable Diffusion", () => {
  test("in the layout of diffusers' old script: its three graphs, weights.pb, tokenizer and scheduler", () => {
    const draft = recognise(legacy);
    expect(draft.model).toMatchObject({
      id: "onnx-community/stable-diffusion-v1-5-onnx",
      title: "stable-diffusion-v1-5-ONNX",
      pipeline: "text-to-image",
      category: "text-to-image",
      licence: { id: "creativeml-openrail-m", commercial: true },
    });
    expect(draft.model.graphs).toBeUndefined();
    expect(pathsOf(draft)).toEqual([
      "model_index.json",
      "scheduler/scheduler_config.json",
      "text_encoder/model.onnx",
      "tokenizer/merges.txt",
      "tokenizer/tokenizer_config.json",
      "tokenizer/vocab.json",
      "unet/model.onnx",
      "unet/weights.pb",
      "vae_decoder/model.onnx",
    ]);
    expect(draft.unsure.join(" ")).toContain("taken to be 512 x 512");
  });

  test("in optimum's layout: shards of external data come along, other programs' formats do not", () => {
    const draft = recognise(optimum);
    expect(pathsOf(draft).filter((path) => /^(unet|text_encoder|vae)/.test(path))).toEqual([
      "text_encoder/model.onnx",
      "unet/config.json",
      "unet/model.onnx",
      "unet/model.onnx_data",
      "unet/model.onnx_data_1",
      "vae_decoder/config.json",
      "vae_decoder/model.onnx",
    ]);
    expect(draft.model.licence).toEqual({ id: "sai-nc-community", commercial: false });
    expect(draft.model.defaults).toEqual({ num_inference_steps: 4, guidance_scale: 1 });
    expect(draft.unsure.join(" ")).not.toContain("taken to be");
  });

  test("a latent consistency model is known by its UNet and draws in four steps, guided", () => {
    const ofLcm = {
      ...optimum.configs,
      "model_index.json": { _class_name: "LatentConsistencyModelPipeline" },
      "unet/config.json": { sample_size: 96, time_cond_proj_dim: 256 },
    };
    const draft = recognise({ ...optimum, configs: ofLcm });
    expect(draft.model).toMatchObject({ pipeline: "text-to-image", defaults: { num_inference_steps: 4 } });
    expect(draft.model.defaults).not.toHaveProperty("guidance_scale");
  });

  test("its memory follows from its graphs and the size of its pictures", () => {
    const { weights, working } = recognise(optimum).model.memory as { weights: number; working: number };
    expect(weights / MB).toBeCloseTo(150 + 1.1 * (2 + 2000 + 1440 + 1360 + 198), 0);
    expect(working).toBe(2 * 2 * 5 * 4 * 4096 ** 2);
  });

  test("a file for each tensor, as older exports have it, comes along", () => {
    const { "unet/model.onnx_data": _, "unet/model.onnx_data_1": __, ...rest } = treeOf(optimum);
    const loose = { "unet/onnx__MatMul_9211": 40, "unet/unet.conv_in.weight": 1, "unet/.ignore": 1, "unet/old/x": 9 };
    const draft = recognise({ ...optimum, files: filesOf({ ...rest, ...loose }) });
    expect(pathsOf(draft).filter((path) => path.startsWith("unet/"))).toEqual([
      "unet/config.json",
      "unet/model.onnx",
      "unet/onnx__MatMul_9211",
      "unet/unet.conv_in.weight",
    ]);
  });
});

const treeOf = ({ files }: Repository) => Object.fromEntries(files.map(({ path, bytes }) => [path, bytes / MB]));
const filesOf = (tree: Record<string, number>) =>
  Object.entries(tree).map(([path, size]) => ({ path, bytes: Math.round(size * MB) }));

describe("CLIP in transformers.js' layout", () => {
  test("has one graph of full precision on a CPU", () => {
    const draft = recognise(clip());
    expect(draft.model).toMatchObject({ id: "xenova/clip-vit-base-patch32", pipeline: "image-text-similarity" });
    expect(pathsOf(draft).filter((path) => path.startsWith("onnx"))).toEqual(["onnx/model.onnx"]);
    expect(pathsOf(draft)).not.toContain("vocab.json");
    expect(draft.unsure.join(" ")).toContain("licence is not stated");
  });

  const dtypes: [Dtype | undefined, Record<string, undefined>, string, number][] = [
    ["fp16", {}, "onnx/model_fp16.onnx", 2 * 304],
    ["q8", {}, "onnx/model_quantized.onnx", 154],
    [undefined, { "onnx/model.onnx": undefined }, "onnx/model_fp16.onnx", 2 * 304],
  ];
  test.each(dtypes)("%p of it, without %p, is %s", (dtype, without, path, loaded) => {
    const draft = recognise(clip(without), dtype ? { dtypes: everywhere(dtype) } : {});
    expect(draftOn(draft).graphs).toEqual({ "onnx/model.onnx": path });
    expect(megabytes(draft)).toBeLessThan(310);
    expect(draftOn(draft).memory.weights / MB).toBeCloseTo(150 + 1.1 * loaded, 0);
  });

  test("the vocabulary's own files are taken where there is no tokenizer.json", () => {
    expect(pathsOf(recognise(clip({ "tokenizer.json": undefined })))).toContain("merges.txt");
  });
});

/** onnx-community/Llama-3.2-1B-Instruct: models.md 3.3. */
const llama = repository("onnx-community/Llama-3.2-1B-Instruct", {
  licence: "llama3.2",
  configs: {
    "config.json": {
      ...{ model_type: "llama", architectures: ["LlamaForCausalLM"], max_position_embeddings: 131072 },
      ...{ num_hidden_layers: 16, num_key_value_heads: 8, num_attention_heads: 32, head_dim: 64, hidden_size: 2048 },
    },
  },
  tree: {
    ...{ "config.json": 0.001, "generation_config.json": 0.001, "tokenizer.json": 9.09, "tokenizer_config.json": 0.06 },
    ...{ "special_tokens_map.json": 0.001, "onnx/model.onnx": 0.524, "onnx/model.onnx_data": 4940 },
    ...{ "onnx/model_fp16.onnx": 0.532, "onnx/model_fp16.onnx_data": 2470, "onnx/model_q4.onnx": 1660 },
    ...{ "onnx/model_q4f16.onnx": 1070, "onnx/model_quantized.onnx": 1240 },
  },
});
const small135 = repository("HuggingFaceTB/SmolLM2-135M-Instruct", {
  licence: "apache-2.0",
  configs: { "config.json": { model_type: "llama" } },
  tree: { "config.json": 0.001, "tokenizer.json": 2, "onnx/model.onnx": 654, "onnx/model_q4.onnx": 200 },
});

describe("a language model in transformers.js' layout", () => {
  test("answers a chat, eight at a time, with room for what they have read", () => {
    const draft = recognise(llama);
    expect(draft.model).toMatchObject({
      id: "onnx-community/llama-3.2-1b-instruct",
      pipeline: "chat",
      category: "llm",
      limits: { maxBatch: 8 },
      memory: { perBatchItem: 2 * 16 * 8 * 64 * 4 * 4096 },
      price: { unit: "token" },
    });
    expect(draft.model.description).toContain("131072 tokens");
    expect(pathsOf(draft)).toContain("generation_config.json");
    expect(pathsOf(draft)).toContain("tokenizer.json");
  });

  const choices: [string, Repository, Parameters<typeof recognise>[1], string][] = [
    ["four bits for a processor", llama, {}, "onnx/model_q4.onnx"],
    ["single precision for a processor where it is small", small135, {}, "onnx/model.onnx"],
    ["half precision for a GPU that has room", llama, { room: { kind: "cuda", bytes: 24e9 } }, "onnx/model_fp16.onnx"],
    ["four bits for a small GPU", llama, { room: { kind: "webgpu", bytes: 3e9 } }, "onnx/model_q4f16.onnx"],
    ["the smallest where nothing fits", llama, { room: { kind: "cpu", bytes: 1e9 } }, "onnx/model_q4f16.onnx"],
    ["what was asked for", llama, { dtypes: everywhere("q8") }, "onnx/model_quantized.onnx"],
  ];
  test.each(choices)("%s", (_, from, wishes, path) => {
    const draft = recognise(from, wishes);
    const kind = wishes?.room?.kind ?? "cpu";
    expect(pathsOf(draft, kind).filter((each) => each.endsWith(".onnx"))).toEqual([path]);
    expect(draftOn(draft, kind).graphs ?? {}).toEqual(path === "onnx/model.onnx" ? {} : { "onnx/model.onnx": path });
  });

  test("older exports name their graph otherwise", () => {
    const tree = { "config.json": 0.001, "tokenizer.json": 2, "onnx/decoder_model_merged_quantized.onnx": 125 };
    const draft = recognise({ ...small135, files: filesOf(tree) });
    expect(draft.model.graphs).toEqual({ "onnx/model.onnx": "onnx/decoder_model_merged_quantized.onnx" });
  });
});

/** A repository of an encoder: `more` are further files, `config` further fields of config.json. */
const encoder = (repo: string, config: Record<string, unknown>, more: Record<string, number> = {}) =>
  repository(repo, {
    licence: "mit",
    configs: { "config.json": { model_type: "bert", architectures: ["BertModel"], hidden_size: 384, ...config } },
    tree: {
      "config.json": 0.001,
      "tokenizer.json": 0.7,
      "tokenizer_config.json": 0.001,
      "onnx/model.onnx": 90,
      ...more,
    },
  });
const sentences = { "modules.json": 0.001, "1_Pooling/config.json": 0.001, "config_sentence_transformers.json": 0.001 };

describe("an encoder in transformers.js' layout", () => {
  test("embeds as sentence-transformers' files say, which come along", () => {
    const draft = recognise(encoder("sentence-transformers/all-MiniLM-L6-v2", {}, sentences));
    expect(draft.model).toMatchObject({ pipeline: "embed", category: "embedding", limits: { maxBatch: 16 } });
    expect(draft.model.embed).toBeUndefined();
    expect(draft.model.description).toContain("384 numbers");
    expect(pathsOf(draft)).toContain("1_Pooling/config.json");
    expect(draft.unsure.join(" ")).not.toContain("pooling");
  });

  const guesses: [string, Record<string, unknown>, object][] = [
    ["Xenova/all-MiniLM-L6-v2", {}, { pooling: "mean" }],
    ["Xenova/multilingual-e5-small", {}, { pooling: "mean", prompts: { query: "query: ", document: "passage: " } }],
    ["Xenova/bge-base-en-v1.5", {}, { pooling: "cls", prompts: { query: expect.any(String), document: "" } }],
    [
      "onnx-community/Qwen3-Embedding-0.6B-ONNX",
      { model_type: "qwen3", architectures: ["Qwen3ForCausalLM"] },
      { pooling: "last", prompts: { query: expect.stringContaining("Instruct"), document: "" } },
    ],
    ["somebody/nothing-known", {}, { pooling: "mean" }],
    ["somebody/a-decoder", { model_type: "llama", architectures: ["LlamaModel"] }, { pooling: "last" }],
  ];
  test.each(guesses)(
    "without them %s is pooled as its name or its kind has it, and that is said",
    (repo, config, embed) => {
      const draft = recognise(encoder(repo, config));
      expect(draft.model).toMatchObject({ pipeline: "embed", embed });
      expect(draft.unsure.join(" ")).toContain("Its pooling");
    },
  );

  test("with one label it reranks, with more it sorts texts; known labels of harm make it a model for moderation", () => {
    const ranker = { architectures: ["XLMRobertaForSequenceClassification"], model_type: "xlm-roberta" };
    const draft = recognise(encoder("Xenova/bge-reranker-base", { ...ranker, id2label: { 0: "LABEL_0" } }));
    expect(draft.model).toMatchObject({ pipeline: "rerank", category: "rerank", limits: { maxBatch: 16 } });
    const moods = recognise(encoder("someone/sentiment", { ...ranker, id2label: { 0: "neutral", 1: "POSITIVE" } }));
    expect(moods.model).toMatchObject({ pipeline: "classify-text", category: "text-classification" });
    expect(moods.model.moderation).toBeUndefined();
    const labels = { id2label: { 0: "toxic", 1: "obscene", 2: "threat" } };
    const toxic = recognise(
      encoder("Xenova/toxic-bert", { architectures: ["BertForSequenceClassification"], ...labels }),
    );
    const categories = { toxic: "harassment", threat: "harassment/threatening" };
    expect(toxic.model).toMatchObject({ pipeline: "classify-text", moderation: { categories } });
    expect(toxic.unsure.join(" ")).toContain("/v1/moderations");
    const koala = { id2label: { 0: "H", 1: "OK", 2: "S3" } };
    const letters = { ...koala, architectures: ["DebertaV2ForSequenceClassification"], model_type: "deberta-v2" };
    expect(recognise(encoder("KoalaAI/Text-Moderation", letters)).model).toMatchObject({
      moderation: { categories: { H: "hate", OK: null, S3: "sexual/minors" } },
    });
  });

  test("a model that answers stays one, although its kind has some that embed", () => {
    expect(recognise(llama).model.pipeline).toBe("chat");
  });
});

describe("SigLIP in transformers.js' layout", () => {
  const files = Object.fromEntries(Object.entries(clipTree).filter(([path]) => !/vocab|merges/.test(path)));
  const config = { model_type: "siglip", vision_config: { hidden_size: 768, image_size: 384 } };
  const siglip = (changes: Record<string, number | undefined> = {}, told: object = config) => {
    const kept = Object.entries({ ...files, ...changes }).flatMap(([path, size]) => (size ? [[path, size]] : []));
    const tree = Object.fromEntries(kept);
    return repository("Xenova/siglip-base-patch16-384", { tree, configs: { "config.json": told } });
  };
  const towersAlone = siglip({
    "onnx/model.onnx": undefined,
    "onnx/model_fp16.onnx": undefined,
    "onnx/model_quantized.onnx": undefined,
  });

  test("compares pictures and texts by the graph of both towers, and embeds by those of each where that is asked", () => {
    const draft = recognise(siglip());
    expect(draft.model).toMatchObject({ pipeline: "image-text-similarity", category: "vision" });
    expect(draft.model.description).toContain("embeddings of 768 numbers");
    expect(pathsOf(draft)).toEqual([
      "config.json",
      "onnx/model.onnx",
      "preprocessor_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const embedding = recognise(siglip(), { pipeline: "embed" });
    expect(embedding.model).toMatchObject({ pipeline: "embed", category: "embedding", limits: { maxBatch: 16 } });
    expect(pathsOf(embedding)).toContain("onnx/text_model.onnx");
    expect(pathsOf(embedding)).not.toContain("onnx/model.onnx");
  });

  test("embeds where there are two graphs alone; to compare, these do not hold what it takes", async () => {
    expect(recognise(towersAlone).model.pipeline).toBe("embed");
    const wish = Promise.try(() => recognise(towersAlone, { pipeline: "image-text-similarity" }));
    const failure = await failureOf(wish);
    expect(failure.code).toBe("misconfigured");
    expect(failure.message).toMatch(/has no onnx\/model.onnx, .* --pipeline embed/);
  });

  test("NaFlex, whose pictures keep their shape, is refused by name, for either use", async () => {
    const naflex = siglip({}, { model_type: "siglip2", vision_config: { num_patches: 256 } });
    for (const pipeline of [undefined, "embed"] as const) {
      const failure = await failureOf(Promise.try(() => recognise(naflex, pipeline ? { pipeline } : {})));
      expect(failure.message).toMatch(/SigLIP 2 NaFlex.* fixed resolution/);
    }
    const fixed = siglip({}, { model_type: "siglip2", vision_config: { image_size: 224 } });
    expect(recognise(fixed).model.pipeline).toBe("image-text-similarity");
  });
});

describe("CLIP for embeddings", () => {
  test("takes its two towers, in the dtype that is wished for", () => {
    const draft = recognise(clip({ "onnx/text_model_fp16.onnx": 127, "onnx/vision_model_fp16.onnx": 176 }), {
      pipeline: "embed",
      dtypes: everywhere("fp16"),
    });
    expect(draft.model).toMatchObject({ pipeline: "embed", category: "embedding" });
    expect(draft.model.graphs).toEqual({
      "onnx/text_model.onnx": "onnx/text_model_fp16.onnx",
      "onnx/vision_model.onnx": "onnx/vision_model_fp16.onnx",
    });
  });

  test("takes the graph of both where there is no other", () => {
    const draft = recognise(clip({ "onnx/text_model.onnx": undefined }), { pipeline: "embed" });
    expect(pathsOf(draft).filter((path) => path.endsWith(".onnx"))).toEqual(["onnx/model.onnx"]);
  });

  test("a pipeline that a repository is not for is refused", async () => {
    const failure = await failureOf(Promise.try(() => recognise(llama, { pipeline: "rerank" })));
    expect(failure.message).toBe("onnx-community/Llama-3.2-1B-Instruct runs through chat, not rerank.");
  });
});

describe("refused by name", () => {
  const refusals: [string, Repository, RegExp][] = [
    [
      "a diffusers class that no pipeline runs",
      { ...legacy, configs: { "model_index.json": { _class_name: "AllegroPipeline" } } },
      /architecture AllegroPipeline, which no pipeline.*StableDiffusionPipeline/,
    ],
    [
      "a model type that no pipeline runs",
      { ...clip(), configs: { "config.json": { model_type: "bark", architectures: ["BarkModel"] } } },
      /architecture bark \(BarkModel\)/,
    ],
    ["a repository that does not say what it is", { ...clip(), configs: {} }, /does not say what it is/],
    [
      "PyTorch's weights alone",
      { ...legacy, files: legacy.files.filter(({ path }) => !path.endsWith(".onnx")) },
      /has no text_encoder\/model.onnx: .* look for an ONNX export/,
    ],
    [
      "split towers of CLIP",
      clip({ "onnx/model.onnx": undefined, "onnx/model_fp16.onnx": undefined, "onnx/model_quantized.onnx": undefined }),
      /has no onnx\/model.onnx/,
    ],
    [
      "a tokenizer that is not there",
      clip({ "tokenizer.json": undefined, "vocab.json": undefined }),
      /has no vocab.json/,
    ],
    [
      "a scheduler that no sampler follows",
      {
        ...legacy,
        configs: { ...configs, "scheduler/scheduler_config.json": { _class_name: "DPMSolverSDEScheduler" } },
      },
      /DPMSolverSDEScheduler/,
    ],
  ];
  test.each(refusals)("%s", async (_, given, message) => {
    const failure = await failureOf(Promise.try(() => recognise(given)));
    expect(failure.code).toBe("misconfigured");
    expect(failure.message).toMatch(message);
  });

  test("a dtype that is not there, with those that are", async () => {
    const failure = await failureOf(Promise.try(() => recognise(clip(), { dtypes: everywhere("q4") })));
    expect(failure.message).toBe("Xenova/clip-vit-base-patch32 has onnx/model.onnx only as fp32, fp16, q8.");
  });
});

test("a licence that is not known counts as not commercial, and is named", () => {
  const draft = recognise({ ...clip(), licence: "other" });
  expect(draft.model.licence).toEqual({ id: "other", commercial: false });
  expect(draft.unsure.join(" ")).toContain("Its licence, other, is not known");
});
