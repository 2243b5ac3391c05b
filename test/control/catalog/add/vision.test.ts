// Models that read pictures: their layouts on the Hub.
import { expect, test } from "bun:test";
import { recognise } from "../../../../src/control/catalog/add/recognise.ts";
import { failureOf } from "../../weights/setting.ts";
import { everywhere, repositoryOf as repository } from "./repository-of.ts";

const words = {
  "config.json": 0.001,
  "preprocessor_config.json": 0.001,
  "tokenizer.json": 3,
  "tokenizer_config.json": 0.1,
};

const florence = repository(
  "onnx-community/Florence-2-base-ft",
  { model_type: "florence2", architectures: ["Florence2ForConditionalGeneration"] },
  {
    ...words,
    "README.md": 0.01,
    "generation_config.json": 0.001,
    "onnx/vision_encoder.onnx": 367,
    "onnx/vision_encoder_q4.onnx": 81,
    "onnx/encoder_model.onnx": 173,
    "onnx/encoder_model_q4.onnx": 30,
    "onnx/decoder_model_merged.onnx": 388,
    "onnx/decoder_model_merged_q4.onnx": 64,
    "onnx/embed_tokens.onnx": 158,
    "onnx/embed_tokens_q4.onnx": 158,
  },
);

test("Florence-2 reads pictures by its four graphs, in the precision that is wished for", () => {
  const { model, files } = recognise(florence);
  expect(model).toMatchObject({ pipeline: "read-image", category: "vision", price: { unit: "image" } });
  expect(model).not.toHaveProperty("graphs");
  const paths = files.map(({ path }) => path);
  expect(paths).toContain("onnx/vision_encoder.onnx");
  expect(paths).toContain("generation_config.json");
  expect(paths.filter((path) => path.endsWith("_q4.onnx"))).toEqual([]);
  const small = recognise(florence, { dtypes: everywhere("q4") });
  expect(small.model.graphs).toEqual({
    "onnx/vision_encoder.onnx": "onnx/vision_encoder_q4.onnx",
    "onnx/embed_tokens.onnx": "onnx/embed_tokens_q4.onnx",
    "onnx/encoder_model.onnx": "onnx/encoder_model_q4.onnx",
    "onnx/decoder_model_merged.onnx": "onnx/decoder_model_merged_q4.onnx",
  });
});

test("one without a part is refused by the part's name", async () => {
  const files = florence.files.filter(({ path }) => !path.includes("encoder_model"));
  const failure = await failureOf(Promise.try(() => recognise({ ...florence, files })));
  expect(failure).toMatchObject({ code: "misconfigured", message: expect.stringContaining("encoder_model") });
});

test("Qwen2-VL's memory has room for pictures seen at once", () => {
  const config = { model_type: "qwen2_vl", num_hidden_layers: 28, num_attention_heads: 12, hidden_size: 1536 };
  const files = Object.fromEntries(
    ["vision_encoder", "embed_tokens", "decoder_model_merged"].map((name) => [`onnx/${name}.onnx`, 100]),
  );
  const { model } = recognise(repository("onnx-community/Qwen2-VL-2B-Instruct", config, { ...words, ...files }));
  expect(model.pipeline).toBe("chat");
  expect((model.memory as { working: number }).working).toBeGreaterThan(4e9);
});

test("SmolVLM answers about pictures by its three graphs", () => {
  const config = {
    model_type: "idefics3",
    architectures: ["Idefics3ForConditionalGeneration"],
    text_config: {
      ...{ max_position_embeddings: 8192, num_hidden_layers: 30, num_attention_heads: 9, num_key_value_heads: 3 },
      ...{ hidden_size: 576, head_dim: 64 },
    },
  };
  const files = Object.fromEntries(
    ["vision_encoder", "embed_tokens", "decoder_model_merged"].flatMap((name) =>
      ["", "_q4", "_fp16"].map((kind) => [`onnx/${name}${kind}.onnx`, 100]),
    ),
  );
  const { model, files: taken } = recognise(
    repository("HuggingFaceTB/SmolVLM-256M-Instruct", config, { ...words, "chat_template.json": 0.001, ...files }),
    { dtypes: everywhere("q4") },
  );
  expect(model).toMatchObject({ pipeline: "chat", category: "vision", price: { unit: "token" } });
  expect(model.graphs).toMatchObject({ "onnx/decoder_model_merged.onnx": "onnx/decoder_model_merged_q4.onnx" });
  // 4096 tokens of 30 layers, 3 heads of 64, keys and values of 4 bytes.
  expect(model.memory).toMatchObject({ perBatchItem: 2 * 30 * 3 * 64 * 4 * 4096 });
  expect(taken.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["preprocessor_config.json", "chat_template.json", "onnx/vision_encoder_q4.onnx"]),
  );
});
