// Models of 3D and of motion: their layouts on the Hub, which say nothing of themselves.
import { describe, expect, test } from "bun:test";
import { recognise } from "../../../../src/control/catalog/add/recognise.ts";
import { everywhere, repositoryOf } from "./repository-of.ts";

const repository = (repo: string, tree: Record<string, number>) =>
  repositoryOf(repo, {}, { "README.md": 0.01, ...tree });

const outcome = (...given: Parameters<typeof recognise>) => {
  const { model, files, unsure } = recognise(...given);
  const known: Record<string, unknown> = model;
  return {
    pipeline: known.pipeline,
    graphs: known.graphs,
    price: known.price,
    paths: files.map(({ path }) => path),
    unsure: unsure.join(" "),
  };
};

describe("TripoSR", () => {
  const triposr = repository("fernandotonon/QtMeshEditor-triposr-onnx", {
    "triposr_decoder.onnx": 0.18,
    "triposr_encoder.onnx": 1680,
    "triposr_encoder_int8.onnx": 430,
  });

  test("with a decoder that samples the planes itself", () => {
    const { pipeline, graphs, paths, price, unsure } = outcome(triposr);
    expect(pipeline).toBe("image-to-3d");
    expect(graphs).toEqual({ "encoder.onnx": "triposr_encoder.onnx", "decoder.onnx": "triposr_decoder.onnx" });
    expect(paths).toEqual(["triposr_decoder.onnx", "triposr_encoder.onnx"]);
    expect(price).toMatchObject({ unit: "request" });
    for (const told of ["background remover", "fal-ai/triposr", "triposr_encoder_int8.onnx"])
      expect(unsure).toContain(told);
  });

  test("in the numbers that are wished for, and in no others", () => {
    const { graphs, paths } = outcome(triposr, { dtypes: everywhere("int8") });
    expect(graphs).toMatchObject({ "encoder.onnx": "triposr_encoder_int8.onnx" });
    expect(paths).not.toContain("triposr_encoder.onnx");
    expect(() => recognise(triposr, { dtypes: everywhere("fp16") })).toThrow(
      "has none in fp16; there are triposr_encoder.onnx (fp32), triposr_encoder_int8.onnx (int8)",
    );
  });

  test("with planes that are sampled outside, and its numbers beside it", () => {
    const tree = { "decoder.onnx": 0.2, "triplane_q8.onnx": 2, "triplane_q8.onnx.data": 483 };
    const { pipeline, graphs, paths } = outcome(repository("cgb/triposr-onnx-webgpu", tree));
    expect(pipeline).toBe("image-to-3d");
    expect(graphs).toEqual({ "encoder.onnx": "triplane_q8.onnx" });
    expect(paths).toEqual(Object.keys(tree));
  });

  test("half of it is none", () => {
    for (const tree of [{ "triposr_encoder.onnx": 1680 }, { "triplane.onnx": 400, "a/decoder.onnx": 1 }])
      expect(() => recognise(repository("a/b", tree))).toThrow("triposr_encoder*.onnx and triposr_decoder.onnx");
  });
});

test("MoGe-2 by its repository's name, and nobody else's model.onnx", () => {
  const moge = outcome(repository("Ruicheng/moge-2-vits-normal-onnx", { "model.onnx": 141 }));
  expect(moge).toMatchObject({
    pipeline: "image-to-scene",
    graphs: { "onnx/model.onnx": "model.onnx" },
    paths: ["model.onnx"],
    price: { unit: "image" },
  });
  for (const repo of ["Ruicheng/moge-vitl", "acme/depth"])
    expect(() => recognise(repository(repo, { "model.onnx": 141 }))).toThrow("does not say what it is");
});

describe("motion capture", () => {
  const rtmw3d = "onnx/rtmw3d-x_8xb64_cocktail14-384x288-b0a0eab7_20240626.onnx";

  test("RTMW3D, with the detector that its repository brings or a word about one", () => {
    const alone = outcome(repository("Soykaf/RTMW3D-x", { [rtmw3d]: 369 }));
    expect(alone).toMatchObject({ pipeline: "capture-motion", graphs: { "onnx/model.onnx": rtmw3d }, paths: [rtmw3d] });
    expect(alone.unsure).toContain("put a YOLOX into the folder detector/");
    const both = outcome(repository("acme/mocap", { [rtmw3d]: 369, "yolox_m.onnx": 100, "rtmpose-m.onnx": 50 }));
    expect(both.graphs).toEqual({ "onnx/model.onnx": rtmw3d, "detector/onnx/model.onnx": "yolox_m.onnx" });
    expect(both.unsure).toContain("--pipeline estimate-pose adds that");
  });

  test("MediaPipe's pose, not its quantised one where there is another", () => {
    const [pose, small] = ["pose_estimation_mediapipe_2023mar.onnx", "pose_estimation_mediapipe_2023mar_int8bq.onnx"];
    const found = outcome(repository("opencv/pose_estimation_mediapipe", { [small]: 1.7, [pose]: 5.6 }));
    expect(found).toMatchObject({ pipeline: "capture-motion", graphs: { "onnx/model.onnx": pose }, paths: [pose] });
    expect(found.unsure).toContain("person_detection_mediapipe into the folder detector/");
    const people = "person_detection_mediapipe_2023mar.onnx";
    expect(outcome(repository("a/b", { [people]: 12, [pose]: 5.6 })).graphs).toEqual({
      "onnx/model.onnx": pose,
      "detector/onnx/model.onnx": people,
    });
  });
});

test("motion by words, beside other models of one repository where it is wished for", () => {
  const tree = {
    "motion/t2m-vocab.json": 0.001,
    "motion/t2m.onnx": 17.7,
    "triposr/triposr_decoder.onnx": 0.18,
    "triposr/triposr_encoder.onnx": 1680,
  };
  const all = repository("fernandotonon/QtMeshEditor-models", tree);
  const first = outcome(all);
  expect(first.pipeline).toBe("image-to-3d");
  expect(first.unsure).toContain("--pipeline text-to-motion adds that");
  expect(outcome(all, { pipeline: "text-to-motion" })).toMatchObject({
    pipeline: "text-to-motion",
    graphs: { "onnx/model.onnx": "motion/t2m.onnx" },
    paths: ["motion/t2m-vocab.json", "motion/t2m.onnx"],
    price: { unit: "second" },
  });
  expect(() => recognise(repository("a/b", { "t2m.onnx": 17.7 }))).toThrow("t2m-vocab.json");
});

test("what is not recognised is told which names are", () => {
  expect(() => recognise(repository("a/b", { "shape.onnx": 1 }))).toThrow(
    /neither a model_index\.json .* nor files of names that are known: .*rtmw3d\*\.onnx \(capture-motion\).*moge-2.*`pipeline: onnx`/,
  );
});
