// Repositories of image tools in transformers.js' layout, by the facts that are known of them, to model files.
import { describe, expect, test } from "bun:test";
import { YAML } from "bun";
import { recognise } from "../../../../src/control/catalog/add/recognise.ts";
import type { Repository } from "../../../../src/control/catalog/add/repository.ts";
import { createCatalog } from "../../../../src/control/catalog/catalog.ts";
import { draftOn, everywhere } from "./repository-of.ts";

const MB = 1e6;

/** `tree`: megabytes by path. */
const repository = (repo: string, config: object | undefined, tree: Record<string, number>): Repository => ({
  repo,
  commit: "c".repeat(40),
  licence: "mit",
  files: Object.entries(tree).map(([path, size]) => ({ path, bytes: Math.round(size * MB) })),
  configs: config ? { "config.json": config } : {},
});

const small = { "config.json": 0.001, "preprocessor_config.json": 0.001 };

/** As the catalogue reads what `models add` writes. */
function entryOf(draft: ReturnType<typeof recognise>) {
  const source = { path: "/nowhere" };
  const text = YAML.stringify({ ...draft.model, source });
  const [entry] = createCatalog({ builtIn: [{ file: "models/added.yaml", text }] }).list();
  if (!entry) throw new Error("no model");
  return entry;
}

describe("background removers", () => {
  const birefnet = (repo: string, precisions = ["", "_fp16"]) =>
    repository(
      repo,
      { model_type: "birefnet", architectures: ["BiRefNet"] },
      { ...small, ...Object.fromEntries(precisions.map((each, i) => [`onnx/model${each}.onnx`, 224 / 2 ** i])) },
    );

  test("BiRefNet's light weights are fal-ai/birefnet's first choice", () => {
    const draft = recognise(birefnet("onnx-community/BiRefNet_lite-ONNX"));
    expect(draftOn(draft).files.map(({ path }) => path)).toEqual([
      "config.json",
      "preprocessor_config.json",
      "onnx/model.onnx",
    ]);
    const { model, input, output } = entryOf(draft);
    expect(model).toMatchObject({ pipeline: "remove-background", licence: { commercial: true } });
    expect(input.properties.model).toMatchObject({ enum: ["General Use (Light)"], default: "General Use (Light)" });
    expect(Object.keys(output.properties)).toEqual(["image", "mask_image"]);
    expect(draft.unsure.join(" ")).toContain('fal calls "General Use (Light)"');
  });

  test("half precision where it is wished for or alone", () => {
    const wished = recognise(birefnet("onnx-community/BiRefNet_lite-ONNX"), { dtypes: everywhere("fp16") });
    expect(wished.model.graphs).toEqual({ "onnx/model.onnx": "onnx/model_fp16.onnx" });
    const alone = recognise(birefnet("onnx-community/BiRefNet_lite-ONNX", ["_fp16"]));
    expect(alone.model.graphs).toEqual(wished.model.graphs);
  });

  test.each([
    ["onnx-community/BiRefNet-ONNX", "General Use (Heavy)"],
    ["onnx-community/BiRefNet_512x512-ONNX", "General Use (Light)"],
    ["onnx-community/BiRefNet_lite-2K-ONNX", "General Use (Light 2K)"],
    ["onnx-community/BiRefNet-matting-ONNX", "Matting"],
    ["onnx-community/BiRefNet-portrait-ONNX", "Portrait"],
    ["onnx-community/BiRefNet_dynamic-ONNX", "General Use (Dynamic)"],
  ])("%s is fal's %s", (repo, variant) => {
    expect(recognise(birefnet(repo)).model.defaults).toEqual({ model: variant });
  });

  test("MODNet cuts people out, in less memory", () => {
    const modnet = repository("Xenova/modnet", { model_type: "modnet" }, { ...small, "onnx/model.onnx": 25.9 });
    const { model } = entryOf(recognise(modnet));
    expect(model).toMatchObject({ pipeline: "remove-background", defaults: { model: "Portrait" } });
    expect(model.memory.working).toBeLessThan(1e9);
  });

  test("without the file that says how it sees pictures it is refused", () => {
    const blind = repository("a/b", { model_type: "modnet" }, { "config.json": 0.001, "onnx/model.onnx": 1 });
    expect(() => recognise(blind)).toThrow(/has no preprocessor_config.json/);
  });
});

describe("upscalers", () => {
  test("Swin2SR by its config", () => {
    const config = { model_type: "swin2sr", architectures: ["Swin2SRForImageSuperResolution"], upscale: 2 };
    const tree = { ...small, "onnx/model.onnx": 50, "onnx/model_quantized.onnx": 17 };
    const draft = recognise(repository("Xenova/swin2SR-classical-sr-x2-64", config, tree));
    const { model, input } = entryOf(draft);
    expect(model).toMatchObject({ pipeline: "upscale", price: { unit: "megapixel" } });
    expect(model.defaults).toEqual({});
    expect(input.properties.scale).toMatchObject({ default: 2, maximum: 8 });
    expect(draft.files.map(({ path }) => path)).toEqual([...Object.keys(small), "onnx/model.onnx"]);
  });

  test("Real-ESRGAN by the name of a bare file; of several the one that fal takes, and the others are named", () => {
    const tree = {
      "manifest.json": 0.001,
      "realesrgan-x2plus.onnx": 67,
      "realesrgan-x4plus.fp16.onnx": 34,
      "realesrgan-x4plus.onnx": 67,
      "lama.onnx": 208,
    };
    const draft = recognise(repository("someone/tools", undefined, tree));
    expect(draft.files.map(({ path }) => path)).toEqual(["realesrgan-x4plus.onnx"]);
    const { model, input } = entryOf(draft);
    expect(model.graphs).toEqual({ "onnx/model.onnx": "realesrgan-x4plus.onnx" });
    expect(input.properties.model).toMatchObject({ enum: ["RealESRGAN_x4plus"] });
    expect(draft.unsure.join(" ")).toContain("has realesrgan-x2plus.onnx, realesrgan-x4plus.fp16.onnx too");
    const half = recognise(repository("someone/tools", undefined, tree), { dtypes: everywhere("fp16") });
    expect(half.model.graphs).toEqual({ "onnx/model.onnx": "realesrgan-x4plus.fp16.onnx" });
  });

  test.each([
    ["RealESRGAN_x2plus.onnx", "RealESRGAN_x2plus"],
    ["models/RealESRGAN_x4plus_anime_6B.onnx", "RealESRGAN_x4plus_anime_6B"],
    ["RealESRGAN_x4.onnx", "RealESRGAN_x4plus"],
    ["realesr-general-wdn-x4v3-esrgan.onnx", "RealESRGAN_x4_wdn_v3"],
  ])("%s is fal's %s", (path, variant) => {
    expect(recognise(repository("a/b", undefined, { [path]: 67 })).model.defaults).toEqual({ model: variant });
  });

  test("a bare file of another kind stays unknown", () => {
    expect(() => recognise(repository("a/b", undefined, { "depth.onnx": 200 }))).toThrow(/does not say what it is/);
  });
});

describe("segmentation", () => {
  const sam = (type: string) =>
    repository(
      `acme/${type}`,
      { model_type: type },
      { ...small, "onnx/vision_encoder.onnx": 40, "onnx/prompt_encoder_mask_decoder.onnx": 20 },
    );

  test.each(["sam", "sam2"])("%s answers points, or finds everything where that is wished for", (type) => {
    const draft = recognise(sam(type));
    expect(draft.files).toHaveLength(4);
    expect(entryOf(draft).model).toMatchObject({ pipeline: "segment-image", category: "vision" });
    expect(draft.unsure.join(" ")).toContain("--pipeline segment-all");
    const all = entryOf(recognise(sam(type), { pipeline: "segment-all" }));
    expect(all.model.pipeline).toBe("segment-all");
    expect(Object.keys(all.output.properties)).toEqual(["combined_mask", "individual_masks"]);
  });
});

test.each(["depth_anything", "dpt", "depth_pro"])("depth by %s", (type) => {
  const tree = { ...small, "onnx/model.onnx": 99.1, "onnx/model_fp16.onnx": 49.6 };
  const draft = recognise(repository("onnx-community/depth", { model_type: type }, tree), {
    dtypes: everywhere("fp16"),
  });
  const { model, output } = entryOf(draft);
  expect(model).toMatchObject({ pipeline: "estimate-depth", graphs: { "onnx/model.onnx": "onnx/model_fp16.onnx" } });
  expect(Object.keys(output.properties)).toEqual(["image", "depth"]);
});

describe("poses", () => {
  const tree = { ...small, "onnx/model.onnx": 343, "onnx/model_fp16.onnx": 172 };

  test("ViTPose by its config; alone it looks at one person, and that is said", () => {
    const config = { model_type: "vitpose", architectures: ["VitPoseForPoseEstimation"] };
    const draft = recognise(repository("onnx-community/vitpose-base-simple", config, tree), {
      dtypes: everywhere("fp16"),
    });
    const { model, output } = entryOf(draft);
    expect(model).toMatchObject({ pipeline: "estimate-pose", graphs: { "onnx/model.onnx": "onnx/model_fp16.onnx" } });
    expect(Object.keys(output.properties)).toEqual(["image", "people"]);
    expect(draft.files.map(({ path }) => path)).toEqual([...Object.keys(small), "onnx/model_fp16.onnx"]);
    expect(draft.unsure.join(" ")).toContain("fal-ai/dwpose");
    expect(draft.unsure.join(" ")).toContain("the folder detector/");
  });

  test("YOLO's pose by the repository's name, whatever architecture its config names", () => {
    const config = { model_type: "yolov8", architectures: ["YolosForObjectDetection"] };
    const draft = recognise(repository("Xenova/yolov8n-pose", config, tree));
    expect(draft.model.pipeline).toBe("estimate-pose");
    expect(draft.unsure.join(" ")).not.toContain("one person");
    expect(recognise(repository("Xenova/yolov8n", config, tree)).model.pipeline).toBe("detect-objects");
  });

  test.each([
    ["models/yolo11n-pose.onnx", false],
    ["dw-ll_ucoco_384.onnx", true],
    ["rtmpose-m_8xb256.onnx", true],
  ])("a bare file %s; whether it looks at one person: %p", (path, looksAtOne) => {
    const draft = recognise(repository("a/b", undefined, { "face.onnx": 217, [path]: 134 }));
    expect(draft.model).toMatchObject({ pipeline: "estimate-pose", graphs: { "onnx/model.onnx": path } });
    expect(draft.files.map((file) => file.path)).toEqual([path]);
    expect(draft.unsure.join(" ").includes("one person")).toBe(looksAtOne);
  });
});

test("DWPose with the detector that its repository brings", () => {
  const tree = { "yolox_l.onnx": 217, "dw-ll_ucoco_384.onnx": 134, "dw-ss_ucoco.onnx": 30 };
  const draft = recognise(repository("yzd-v/DWPose", undefined, tree));
  const graphs = { "onnx/model.onnx": "dw-ll_ucoco_384.onnx", "detector/onnx/model.onnx": "yolox_l.onnx" };
  expect(entryOf(draft).model).toMatchObject({ pipeline: "estimate-pose", graphs });
  expect(draft.files.map((file) => file.path).toSorted()).toEqual(["dw-ll_ucoco_384.onnx", "yolox_l.onnx"]);
  expect(draft.unsure.join(" ")).toContain("yolox_l.onnx is taken for its detector");
  expect(draft.unsure.join(" ")).toContain("has dw-ss_ucoco.onnx too");
});

describe("erasers", () => {
  const tree = { "README.md": 0.01, "lama.onnx": 207, "lama_fp32.onnx": 208 };

  test("LaMa by the name of a bare file; of Carve's the one that Carve recommends, and the other is named", () => {
    const draft = recognise(repository("Carve/LaMa-ONNX", undefined, tree));
    expect(draft.files.map(({ path }) => path)).toEqual(["lama_fp32.onnx"]);
    const { model, input, output } = entryOf(draft);
    expect(model).toMatchObject({ pipeline: "erase", graphs: { "onnx/model.onnx": "lama_fp32.onnx" } });
    expect(input.required).toContain("image_url");
    expect(Object.keys(input.properties)).toContain("box_prompts");
    expect(Object.keys(output.properties)).toEqual(["image", "images"]);
    expect(draft.unsure.join(" ")).toContain("has lama.onnx too");
  });

  test("beside an upscaler where it is wished for", () => {
    const tools = repository("someone/tools", undefined, { "realesrgan-x4plus.onnx": 67, "models/big-lama.onnx": 208 });
    expect(recognise(tools).model.pipeline).toBe("upscale");
    const wished = recognise(tools, { pipeline: "erase" });
    expect(wished.model.graphs).toEqual({ "onnx/model.onnx": "models/big-lama.onnx" });
  });

  test("a LLaMA is none", () => {
    const llama = repository("a/b", undefined, { "llama.onnx": 200, "tinyllama_q4.onnx": 100 });
    expect(() => recognise(llama)).toThrow(/does not say what it is/);
  });
});

describe("classifiers and detectors, by what their architecture is for", () => {
  const tree = { ...small, "onnx/model.onnx": 345 };
  const by = (type: string, architecture: string, labels: string[] = ["cat", "dog"]) =>
    repository("acme/eyes", { model_type: type, architectures: [architecture], id2label: { ...labels } }, tree);

  test.each([
    ["vit", "ViTForImageClassification", "classify-image"],
    ["convnextv2", "ConvNextV2ForImageClassification", "classify-image"],
    ["detr", "DetrForObjectDetection", "detect-objects"],
    ["d_fine", "DFineForObjectDetection", "detect-objects"],
  ])("%s: %s runs through %s", (type, architecture, pipeline) => {
    const draft = recognise(by(type, architecture));
    expect(entryOf(draft).model).toMatchObject({ pipeline, category: "vision" });
    expect(draft.files.map(({ path }) => path)).toEqual(Object.keys(tree));
  });

  test("one with a class for unsafe pictures checks them, unless its classes are wished for", () => {
    const checker = by("vit", "ViTForImageClassification", ["sfw", "nsfw"]);
    expect(recognise(checker).model.pipeline).toBe("check-image");
    expect(recognise(checker, { pipeline: "classify-image" }).model.pipeline).toBe("classify-image");
  });

  test("a detector that looks for what a text says is another thing", () => {
    expect(() => recognise(by("owlv2", "Owlv2ForObjectDetection"))).toThrow(/owlv2 \(Owlv2ForObjectDetection\)/);
    expect(() => recognise(by("vit", "ViTModel"))).toThrow(/vit \(ViTModel\)/);
  });
});
