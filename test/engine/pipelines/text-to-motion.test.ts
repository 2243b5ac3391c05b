// Motion from words on tiny graphs: the turns that SciPy makes of the same numbers, words in their forms, and what is refused.
import { expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actionOf } from "../../../src/engine/motion/action-words.ts";
import { CLIP_BONES, posesOf } from "../../../src/engine/motion/clip.ts";
import { angleBetween, NO_ROTATION, type Rotation } from "../../../src/engine/motion/rotation.ts";
import { textToMotion } from "../../../src/engine/pipelines/text-to-motion.ts";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { validate } from "../support/gltf.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { MOTION, motionJson, openMotion } from "../support/motion.ts";

setDefaultTimeout(120_000);

type Case = { seed: number; prompt: string; rotations: Rotation[][] };
const cases = motionJson<Record<"clip-six" | "clip-ten", Case>>("cases");

test.each(["clip-six", "clip-ten"] as const)(
  "%s: each joint is turned against its parent as SciPy has it",
  async (name) => {
    const { seed, prompt, rotations } = cases[name];
    const { output, files, units } = await runOnce(textToMotion, { assets: openMotion(name), input: { prompt, seed } });
    expect(output).toMatchObject({
      action: "run",
      ignored_words: ["someone", "is"],
      seed,
      fps: 30,
      num_frames: 6,
      prompt,
    });
    expect(units).toEqual({ requests: 1, seconds: 0.2 });
    const graph = await openMotion(name).graph("onnx/model.onnx");
    const noise = createRandom(seed)
      .normal(8)
      .map((value) => value * 0.5);
    const { motion } = await graph.run({
      tokens: { dtype: "float32", shape: [1, 4], data: Float32Array.of(0, 1, 0, 0) },
      seed: { dtype: "float32", shape: [1, 8], data: noise },
    });
    if (!motion) throw new Error("no motion");
    const poses = posesOf(motion, { vocab: [], fps: 30, ...(name === "clip-six" && { frame: "world" }) });
    for (const [frame, row] of rotations.entries())
      for (const [joint, wanted] of row.entries())
        expect(angleBetween(poses[frame]?.rotations[joint] ?? NO_ROTATION, wanted)).toBeLessThan(2e-3);
    expect((await validate(files.get("motion.glb") ?? new Uint8Array())).issues.messages).toEqual([]);
    const bvh = new TextDecoder().decode(files.get("motion.bvh"));
    for (const { name: joint } of CLIP_BONES) expect(bvh).toContain(` ${joint}\n`);
  },
);

const bvhBy = async (input: Record<string, unknown>) => {
  const { files, output } = await runOnce(textToMotion, {
    assets: openMotion("clip-six"),
    input: { prompt: "wave", ...input },
  });
  return { bvh: new TextDecoder().decode(files.get("motion.bvh")), seed: output.seed };
};

test("a seed gives the same motion again, another one another; without variation all are one", async () => {
  const [a, b, c] = [await bvhBy({ seed: 1 }), await bvhBy({ seed: 1 }), await bvhBy({ seed: 2 })];
  expect(a).toEqual(b);
  expect(c.bvh).not.toBe(a.bvh);
  const drawn = await bvhBy({});
  expect((await bvhBy({ seed: drawn.seed })).bvh).toBe(drawn.bvh);
  expect((await bvhBy({ seed: 1, variation: 0 })).bvh).toBe((await bvhBy({ seed: 2, variation: 0 })).bvh);
});

test("actions are known in the forms of English verbs, and only so", () => {
  const words = ["walk", "run", "wave", "sit", "carry", "punch"];
  const known = {
    walks: 0,
    walked: 0,
    running: 1,
    waving: 2,
    waved: 2,
    sitting: 3,
    carries: 4,
    carried: 4,
    punches: 5,
  };
  for (const [word, action] of Object.entries(known)) expect(actionOf(word, words).action).toBe(action);
  expect(actionOf("Run, run! He RUNS", words)).toEqual({ action: 1, ignored: ["he"] });
  expect(() => actionOf("sidewalk", words)).toThrow("Name one of: walk, run, wave, sit, carry, punch");
});

test("a prompt without an action of the model's, or with two, is refused with those there are", async () => {
  for (const prompt of ["a somersault", "run and wave", "..."]) {
    const failure = await bvhBy({ prompt }).catch((error) => error);
    expect(failure).toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "prompt"], type: "one_of", ctx: { expected: ["walk", "run", "wave", "sit"] } }],
    });
    expect(failure.message).toContain("walk, run, wave, sit");
  }
});

test("a vocabulary that is none, or not the graph's, is the model's fault", async () => {
  const folder = await mkdtemp(join(tmpdir(), "forecourt-clip-"));
  await cp(join(MOTION, "clip-six"), folder, { recursive: true });
  const rest = { restDir: CLIP_BONES.map(() => [0, 0, 1]) };
  for (const vocabulary of [
    {},
    { vocab: ["walk"] },
    { vocab: ["a", "b", "c", "d"], joints: ["hip"] },
    { vocab: ["a", "b", "c", "d"], ...rest },
  ]) {
    await writeFile(join(folder, "vocab.json"), JSON.stringify(vocabulary));
    const failure = await runOnce(textToMotion, { assets: openFolder(folder), input: { prompt: "walk" } }).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ code: "misconfigured" });
  }
  await rm(folder, { recursive: true });
});
