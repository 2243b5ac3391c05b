// Reads a detector's numbers: every candidate whose score is high enough, in pixels of what the graph saw.
import { softmax } from "../../tensor/softmax.ts";
import { toFloats } from "../../tensor/tensor.ts";
import { sigmoid } from "../activation.ts";
import type { Tensors } from "../kinds.ts";
import type { Size } from "../view.ts";
import { type Cell, cellsOf } from "./cells.ts";
import type { BoxCoding, Head, Slice } from "./declaration.ts";

export type Candidate = {
  left: number;
  top: number;
  right: number;
  bottom: number;
  score: number;
  /** Number of its class. */
  label: number;
  points: { x: number; y: number; score?: number }[];
};

type Seen = { tensors: Tensors; seen: Size; threshold: number };

export const candidatesOf = (coding: BoxCoding, seen: Seen): Candidate[] =>
  coding.heads.flatMap((head) => ofHead(head, coding, seen));

function ofHead(head: Head, coding: BoxCoding, { tensors, seen, threshold }: Seen): Candidate[] {
  const slices = {
    scores: reader(head.scores, head, tensors),
    box: reader({ count: 4, ...head.box }, head, tensors),
    objectness: head.objectness && reader({ count: 1, ...head.objectness }, head, tensors),
    keypoints: head.keypoints && reader(head.keypoints, head, tensors),
  };
  const cells = head.grids.length > 0 ? cellsOf(head.grids, seen) : undefined;
  const found: Candidate[] = [];
  for (let i = 0; i < slices.scores.candidates; i++) {
    const best = bestClass(slices.scores.at(i), slices.objectness?.at(i)[0], coding.score);
    if (best.score < threshold) continue;
    const cell = cells?.[i] ?? NO_CELL;
    found.push({
      ...best,
      ...boxOf(slices.box.at(i), { coding, cell, seen }),
      points: slices.keypoints ? pointsOf(slices.keypoints.at(i), { coding, cell, seen }) : [],
    });
  }
  return found;
}

const NO_CELL: Cell = { x: 0, y: 0, stride: 1 };

type Reader = { candidates: number; at(candidate: number): number[] };

function reader({ tensor: name, from, count }: Slice, { order }: Head, tensors: Tensors): Reader {
  const tensor = name === undefined ? Object.values(tensors)[0] : tensors[name];
  if (!tensor) throw new RangeError(`no result ${name}`);
  const values = toFloats(tensor);
  const shape = tensor.shape.length > 1 && tensor.shape[0] === 1 ? tensor.shape.slice(1) : tensor.shape;
  const numbers = (order === "rows" ? shape.at(-1) : shape[0]) ?? 1;
  const candidates = values.length / numbers;
  const length = count ?? numbers - from;
  const [numberStep, candidateStep] = order === "rows" ? [1, numbers] : [candidates, 1];
  return {
    candidates,
    at: (i) => Array.from({ length }, (_, k) => values[i * candidateStep + (from + k) * numberStep] ?? 0),
  };
}

function bestClass(raw: number[], rawObjectness: number | undefined, how: BoxCoding["score"]) {
  const scores = how.activation === "softmax" ? softmax(raw) : how.activation === "sigmoid" ? raw.map(sigmoid) : raw;
  const [first, last] = [how.background === "first" ? 1 : 0, scores.length - (how.background === "last" ? 1 : 0)];
  const kept = scores.slice(first, last);
  const label = kept.reduce((best, score, i) => (score > (kept[best] ?? -Infinity) ? i : best), 0);
  const objectness =
    rawObjectness === undefined ? 1 : how.activation === "sigmoid" ? sigmoid(rawObjectness) : rawObjectness;
  const power = (value: number, exponent: number) => (exponent === 1 ? value : Math.max(0, value) ** exponent);
  return { label, score: power(kept[label] ?? 0, how.classPower) * power(objectness, how.objectnessPower) };
}

type Frame = { coding: BoxCoding; cell: Cell; seen: Size };

const act = { none: (x: number) => x, sigmoid, tanh: Math.tanh, exp: Math.exp };

function boxOf([a = 0, b = 0, c = 0, d = 0]: number[], { coding, cell, seen }: Frame) {
  const { centre, size } = coding;
  const x = (value: number) => cell.x + act[centre.activation](value) * units(centre.unit, cell, seen.width);
  const y = (value: number) => cell.y + act[centre.activation](value) * units(centre.unit, cell, seen.height);
  const across = (value: number) => act[size.activation](value) * units(size.unit, cell, seen.width);
  const down = (value: number) => act[size.activation](value) * units(size.unit, cell, seen.height);
  if (coding.coding === "corners") return { left: x(a), top: y(b), right: x(c), bottom: y(d) };
  if (coding.coding === "distances")
    return { left: cell.x - across(a), top: cell.y - down(b), right: cell.x + across(c), bottom: cell.y + down(d) };
  const [halfWidth, halfHeight] = [across(c) / 2, down(d) / 2];
  return { left: x(a) - halfWidth, top: y(b) - halfHeight, right: x(a) + halfWidth, bottom: y(b) + halfHeight };
}

function pointsOf(values: number[], { coding, cell, seen }: Frame): Candidate["points"] {
  const { numbers, unit } = coding.keypoints;
  return Array.from({ length: Math.floor(values.length / numbers) }, (_, i) => {
    const [x = 0, y = 0, score] = values.slice(i * numbers, (i + 1) * numbers);
    return {
      x: cell.x + x * units(unit, cell, seen.width),
      y: cell.y + y * units(unit, cell, seen.height),
      ...(score !== undefined && { score }),
    };
  });
}

/** Pixels of one unit. */
function units(unit: "pixels" | "share" | "cells", { stride }: Cell, edge: number): number {
  if (unit === "pixels") return 1;
  return unit === "share" ? edge : stride;
}
