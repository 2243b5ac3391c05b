// Points of people: ViTPose of random weights against transformers, YOLO's pose on graphs of known people, skeletons against OpenCV's.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { estimatePose } from "../../../src/engine/pipelines/estimate-pose.ts";
import { blackOf, type DrawMode, drawPeople } from "../../../src/engine/pose/skeleton.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { apart, casesOf, decode, openFamily, pictureOf, shown } from "../support/vision.ts";

setDefaultTimeout(120_000);

type Point = { x: number; y: number; score: number };
type Box = [number, number, number, number];
type TopDown = { boxes: Box[]; people: Point[][] };
type OnePass = { people: { corners: Box; score: number; points: Point[] }[] };
const cases = casesOf<{
  vitpose: TopDown;
  "vitpose-plus": TopDown;
  simcc: TopDown;
  yolox: { corners: Box; score: number }[];
  yolo: OnePass;
  "yolo-suppressed": OnePass;
  "yolo-free": OnePass;
  skeletons: Point[][];
  "face-and-hands": Point[];
}>("pose");

const VISION = join(import.meta.dir, "../../reference/vision");
const given = (assets: ReturnType<typeof openFolder>, input: Record<string, unknown> = {}) => ({
  assets,
  input: { image_url: "https://example.org/picture.png", ...input },
  media: shown("picture.png"),
});
const prompt = ([x, y, w, h]: Box) => ({ x_min: x, y_min: y, x_max: x + w, y_max: y + h });

describe.each(["vitpose", "vitpose-plus"] as const)("%s", (family) => {
  test("points of boxes that were given are transformers', to a hundredth of a pixel", async () => {
    const { boxes, people } = cases[family];
    const { output, units } = await runOnce(
      estimatePose,
      given(openFamily(`pose/${family}`), { box_prompts: boxes.map(prompt) }),
    );
    expect(output.people.map(({ box }) => box)).toEqual(boxes.map(([x, y, w, h]) => ({ x, y, w, h })));
    let compared = 0;
    for (const [at, wanted] of people.entries())
      for (const [i, { x, y, score }] of wanted.entries()) {
        const found = output.people[at]?.keypoints[i];
        expect(found?.score).toBeCloseTo(score, 4);
        // Nothing is seen there: transformers reads some place beside the map.
        if (score <= 0) continue;
        compared++;
        expect(Math.hypot((found?.x ?? NaN) - x, (found?.y ?? NaN) - y)).toBeLessThan(0.01);
      }
    expect(compared).toBeGreaterThan(40);
    expect(units).toEqual({ requests: 1, images: 1 });
  });

  test("without a detector the whole picture is one person, by COCO's names", async () => {
    const { output } = await runOnce(estimatePose, given(openFamily(`pose/${family}`)));
    const [person] = output.people;
    expect(output.people).toHaveLength(1);
    expect(person).toMatchObject({ box: { x: 0, y: 0, w: 150, h: 110 }, score: 1 });
    expect(person?.keypoints.map(({ name }) => name).slice(4, 7)).toEqual([
      "right_ear",
      "left_shoulder",
      "right_shoulder",
    ]);
    const [, , whole] = cases[family].people;
    for (const [i, { score }] of (whole ?? []).entries()) expect(person?.keypoints[i]?.score).toBeCloseTo(score, 3);
  });
});

test("SimCC's 133 points are mmpose's, to one of its places, by COCO-WholeBody's names", async () => {
  const { boxes, people } = cases.simcc;
  const { output } = await runOnce(estimatePose, given(openFamily("pose/simcc"), { box_prompts: boxes.map(prompt) }));
  expect(output.people).toHaveLength(people.length);
  for (const [at, wanted] of people.entries()) {
    const [, , w = 0, h = 0] = boxes[at] ?? [];
    // Half a pixel of the 48 x 64 that are seen of the padded box.
    const place = (Math.max(h, w / 0.75) * 1.25) / 64 / 2;
    const found = output.people[at]?.keypoints ?? [];
    expect(found).toHaveLength(133);
    for (const [i, { x, y, score }] of wanted.entries()) {
      expect(Math.abs((found[i]?.x ?? NaN) - x)).toBeLessThan(place * 1.01);
      expect(Math.abs((found[i]?.y ?? NaN) - y)).toBeLessThan(place * 1.01);
      expect(found[i]?.score).toBeCloseTo(score, 4);
    }
    const name = (i: number) => found[i]?.name;
    expect([name(16), name(17), name(23), name(90), name(91), name(95), name(132)]).toEqual([
      ...["right_ankle", "left_big_toe", "face_0", "face_67"],
      ...["left_hand_root", "left_thumb_4", "right_pinky_finger_4"],
    ]);
  }
});

describe("a detector beside the model", () => {
  type Found = { label: string; score: number; corners: Box };
  const { detr } = casesOf<{ detr: Found[] }>("labelling");

  /** `person`: the class that is to be people; random weights see none of their own. */
  async function withDetector(detector: string, person?: string) {
    const folder = await mkdtemp(join(tmpdir(), "forecourt-pose-"));
    for (const part of ["onnx", "config.json", "preprocessor_config.json"])
      await symlink(join(VISION, "pose/vitpose", part), join(folder, part));
    await cp(join(VISION, "labelling", detector), join(folder, "detector"), { recursive: true });
    const path = join(folder, "detector/config.json");
    const named = (await readFile(path, "utf8")).replace('"person"', '"nobody"');
    await writeFile(path, person ? named.replace(`"${person}"`, '"Person"') : named);
    return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  }

  test("finds the people, and nothing else, best first", async () => {
    await using model = await withDetector("detr", "dog");
    const { output } = await runOnce(estimatePose, given(openFolder(model.folder), { score_threshold: 0.3 }));
    const wanted = detr.filter(({ label }) => label === "dog");
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.length).toBeLessThan(detr.length);
    expect(output.people).toHaveLength(wanted.length);
    for (const [at, { score }] of wanted.entries()) expect(output.people[at]?.score).toBeCloseTo(score, 2);
    const none = await runOnce(estimatePose, given(openFolder(model.folder), { score_threshold: 1 }));
    expect(none.output.people).toEqual([]);
    const drawn = await decode(none.files.get("image.png"));
    expect(drawn.data.every((value) => value === 0)).toBe(true);
  });

  test("may be YOLOX alone, as DWPose brings it: doubles and other things gone, cut at the picture's edges", async () => {
    const assets = openFolder(join(VISION, "pose"), {
      "onnx/model.onnx": "simcc/onnx/model.onnx",
      "detector/onnx/model.onnx": "yolox/onnx/model.onnx",
    });
    const { output } = await runOnce(estimatePose, given(assets));
    expect(output.people).toHaveLength(cases.yolox.length);
    for (const [at, { corners, score }] of cases.yolox.entries()) {
      const { box, score: found, keypoints } = output.people[at] ?? { box: { x: NaN, y: NaN, w: NaN, h: NaN } };
      expect(found).toBeCloseTo(score, 4);
      for (const [k, edge] of [box.x, box.y, box.x + box.w, box.y + box.h].entries())
        expect(edge).toBeCloseTo(corners[k] ?? NaN, 3);
      expect(keypoints).toHaveLength(133);
    }
    const sure = await runOnce(estimatePose, given(assets, { score_threshold: 0.55 }));
    expect(sure.output.people).toHaveLength(cases.yolox.filter(({ score }) => score > 0.55).length);
  });

  test("is not asked where boxes are given", async () => {
    await using model = await withDetector("detr", "dog");
    const box_prompts = [prompt([30, 12, 48, 80])];
    const { output } = await runOnce(estimatePose, given(openFolder(model.folder), { box_prompts }));
    expect(output.people.map(({ box }) => box)).toEqual([{ x: 30, y: 12, w: 48, h: 80 }]);
  });

  test("that is none for people is a problem of the model's files", async () => {
    await using model = await withDetector("detr");
    const failure = await runOnce(estimatePose, given(openFolder(model.folder))).catch((error) => error);
    expect(failure).toMatchObject({ code: "misconfigured", message: expect.stringContaining('no class "person"') });
  });
});

describe.each(["yolo", "yolo-suppressed", "yolo-free"] as const)("%s", (family) => {
  test("people and their points in pixels of the picture, doubles gone, cut at its edges", async () => {
    const { output } = await runOnce(estimatePose, given(openFamily(`pose/${family}`)));
    const { people } = cases[family];
    expect(output.people).toHaveLength(people.length);
    for (const [at, { corners, score, points }] of people.entries()) {
      const {
        box,
        keypoints,
        score: found,
      } = output.people[at] ?? { box: { x: NaN, y: NaN, w: NaN, h: NaN }, keypoints: [] };
      expect(found).toBeCloseTo(score, 5);
      for (const [k, edge] of [box.x, box.y, box.x + box.w, box.y + box.h].entries())
        expect(edge).toBeCloseTo(corners[k] ?? NaN, 3);
      expect(keypoints).toHaveLength(17);
      for (const [i, { x, y, score: sure }] of keypoints.entries()) {
        expect(x).toBeCloseTo(points[i]?.x ?? NaN, 3);
        expect(y).toBeCloseTo(points[i]?.y ?? NaN, 3);
        expect(sure).toBeCloseTo(points[i]?.score ?? NaN, 5);
      }
    }
  });

  test("boxes are refused: it finds people by itself", async () => {
    const asked = given(openFamily(`pose/${family}`), { box_prompts: [prompt([0, 0, 9, 9])] });
    const refused = { code: "invalid_input", problems: [{ loc: ["body", "box_prompts"] }] };
    await expect(runOnce(estimatePose, asked)).rejects.toMatchObject(refused);
  });
});

test("graphs of another kind are refused by what they give", async () => {
  const failure = await runOnce(estimatePose, given(openFamily("depth/relative"))).catch((error) => error);
  expect(failure).toMatchObject({ code: "misconfigured", message: expect.stringContaining("[1, 56, places]") });
});

test("an empty box is refused by its number", async () => {
  const box_prompts = [prompt([0, 0, 9, 9]), prompt([5, 5, 0, 3])];
  const refused = { code: "invalid_input", problems: [{ loc: ["body", "box_prompts", 1] }] };
  await expect(runOnce(estimatePose, given(openFamily("pose/vitpose"), { box_prompts }))).rejects.toMatchObject(
    refused,
  );
});

/** Of the pixels that are drawn, the share that another picture has otherwise. */
function otherwise(drawn: Pixels, wanted: Pixels): number {
  const { width, height } = wanted;
  expect(drawn).toMatchObject({ width, height, channels: 3 });
  const pixels = Array.from({ length: width * height }, (_, i) => i * 3);
  const some = (i: number, holds: (at: number) => boolean) => holds(i) || holds(i + 1) || holds(i + 2);
  const differs = (at: number) => Math.abs((drawn.data[at] ?? NaN) - (wanted.data[at] ?? NaN)) > 8;
  const lines = pixels.filter((i) => some(i, (at) => (wanted.data[at] ?? 0) > 0)).length;
  expect(lines).toBeGreaterThan(4000);
  return pixels.filter((i) => some(i, differs)).length / lines;
}

describe("skeletons", () => {
  const people = cases.skeletons.map((points) => ({ points, box: { x: 0, y: 0, w: 1, h: 1 }, score: 1 }));
  const draw = () => drawPeople(blackOf({ width: 640, height: 512 }), people, { mode: "body-pose", threshold: 0.3 });

  test("are those that ControlNets' annotators draw by OpenCV, but for pixels at the edges of lines", async () => {
    expect(otherwise(draw(), await pictureOf("pose/skeletons.png"))).toBeLessThan(0.15);
  });

  test("joints have their own colours, limbs a darker one, and what is not sure is left out", () => {
    const drawn = draw();
    const at = (x: number, y: number) => [...drawn.data.subarray((y * 640 + x) * 3, (y * 640 + x) * 3 + 3)];
    expect(at(300, 90)).toEqual([255, 0, 0]); // nose
    expect(at(300, 160)).toEqual([255, 85, 0]); // neck, between the shoulders
    expect(at(190, 330)).toEqual([170, 255, 0]); // right wrist
    expect(at(430, 320)).toEqual([0, 255, 85]); // left wrist
    expect(at(272, 86)).toEqual([255, 0, 170]); // right ear
    expect(at(275, 160)).toEqual([153, 0, 0]); // from the neck to the right shoulder
    expect(at(505, 100)).toEqual([0, 0, 0]); // the second one's right shoulder is not sure
    expect(at(530, 65)).toEqual([255, 0, 0]); // her nose is
  });

  test("come over the picture where that is wished", async () => {
    const input = { box_prompts: [prompt([30, 12, 48, 80])], draw_on_image: true };
    const { files } = await runOnce(estimatePose, given(openFamily("pose/vitpose"), input));
    const { most, mean } = apart(await decode(files.get("image.png")), await pictureOf("picture.png"));
    expect(most).toBeGreaterThan(100);
    expect(mean).toBeLessThan(20);
  });
});

describe("faces and hands", () => {
  const person = { points: cases["face-and-hands"], box: { x: 0, y: 0, w: 1, h: 1 }, score: 1 };
  const draw = (mode: DrawMode) => drawPeople(blackOf({ width: 640, height: 512 }), [person], { mode, threshold: 0.3 });
  const at = ({ data }: Pixels, x: number, y: number) => [...data.subarray((y * 640 + x) * 3, (y * 640 + x) * 3 + 3)];

  test("are those that DWPose's annotator draws by OpenCV, but for pixels at the edges of lines", async () => {
    expect(otherwise(draw("full-pose"), await pictureOf("pose/face-and-hands.png"))).toBeLessThan(0.15);
  });

  test("each mode draws its part", () => {
    const [face, leftHand, rightHand] = [
      [410, 130],
      [480, 460],
      [140, 460],
    ] as const;
    const white = [255, 255, 255];
    const blue = [0, 0, 255];
    const black = [0, 0, 0];
    const seen = (mode: DrawMode) => [face, leftHand, rightHand].map(([x, y]) => at(draw(mode), x, y));
    expect(seen("full-pose")).toEqual([white, blue, blue]);
    expect(seen("face-pose")).toEqual([white, black, black]);
    expect(seen("hand-pose")).toEqual([black, blue, blue]);
    expect(seen("body-pose")).toEqual([black, black, black]);
  });

  test("masks are white within, where something is sure", () => {
    const inFace = [320, 130] as const;
    const inHand = [490, 400] as const;
    // Of the right hand's little finger, which is not seen.
    const beside = [205, 320] as const;
    const seen = (mode: DrawMode) => [inFace, inHand, beside].map(([x, y]) => at(draw(mode), x, y)[0]);
    expect(seen("face-hand-mask")).toEqual([255, 255, 0]);
    expect(seen("face-mask")).toEqual([255, 0, 0]);
    expect(seen("hand-mask")).toEqual([0, 255, 0]);
  });

  test("are refused by models that know bodies alone", async () => {
    const refused = { code: "invalid_input", problems: [{ loc: ["body", "draw_mode"] }] };
    for (const draw_mode of ["full-pose", "hand-mask"]) {
      const asked = given(openFamily("pose/vitpose"), { draw_mode });
      await expect(runOnce(estimatePose, asked)).rejects.toMatchObject(refused);
    }
    const whole = await runOnce(estimatePose, given(openFamily("pose/simcc"), { draw_mode: "face-mask" }));
    expect((await decode(whole.files.get("image.png"))).data.some((value) => value === 255)).toBe(true);
  });
});
