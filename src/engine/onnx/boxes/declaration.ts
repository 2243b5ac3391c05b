// How a detector's numbers are to be read, as data: the families of YOLO, SSD, DETR and of detectors on grids differ in
// where a box's numbers lie, what they are relative to and how its score is made up.
import { choice, type Static, Type } from "../../../core/schema.ts";
import { activationField } from "../activation.ts";

const strict = { additionalProperties: false };

/** Numbers of every candidate that lie side by side in one tensor. */
const slice = (description: string) =>
  Type.Object(
    {
      tensor: Type.Optional(Type.String({ description: "Absent: the graph's only output" })),
      from: Type.Integer({ minimum: 0, default: 0, description: "The first of them" }),
      count: Type.Optional(Type.Integer({ minimum: 1, description: "How many; absent: the rest" })),
    },
    { ...strict, description },
  );

export type Slice = Static<ReturnType<typeof slice>>;

const unit = choice(["pixels", "share", "cells"], {
  default: "pixels",
  description: "Of what the graph sees: its pixels, shares of its edges, or cells of the head's grid",
});

const grid = Type.Object(
  {
    stride: Type.Integer({ minimum: 1, description: "Pixels of a cell's edge" }),
    perCell: Type.Integer({ minimum: 1, default: 1, description: "Candidates of one cell" }),
    offset: Type.Number({
      default: 0,
      description: "Place in the cell that the numbers are relative to: 0 corner, 0.5 middle",
    }),
  },
  strict,
);

const head = Type.Object(
  {
    order: choice(["rows", "columns"], {
      default: "rows",
      description: "rows: [..., candidates, numbers]; columns: [..., numbers, candidates...]",
    }),
    box: slice("Four numbers"),
    scores: slice("One for each class"),
    objectness: Type.Optional(slice("One number: whether there is anything")),
    keypoints: Type.Optional(slice("Points that belong to the box")),
    grids: Type.Array(grid, {
      default: [],
      description: "Candidates belong to cells, grid after grid; absent: places are absolute",
    }),
  },
  strict,
);

export type Head = Static<typeof head>;
export type Grid = Static<typeof grid>;

export const boxesFields = {
  heads: Type.Array(head, { minItems: 1, description: "Most graphs have one; some have one for each grid" }),
  coding: choice(["centre", "corners", "distances"], {
    default: "centre",
    description: "centre: x, y, width, height; corners: x, y, x, y; distances: to left, top, right, bottom of a cell",
  }),
  centre: Type.Object(
    { activation: choice(["none", "sigmoid", "tanh"], { default: "none" }), unit },
    { ...strict, default: {} },
  ),
  size: Type.Object(
    { activation: choice(["none", "sigmoid", "exp"], { default: "none" }), unit },
    { ...strict, default: {} },
  ),
  score: Type.Object(
    {
      activation: activationField,
      classPower: Type.Number({ default: 1 }),
      objectnessPower: Type.Number({ default: 1 }),
      background: choice(["none", "first", "last"], {
        default: "none",
        description: "A class that stands for nothing",
      }),
    },
    { ...strict, default: {}, description: "classes^classPower · objectness^objectnessPower" },
  ),
  keypoints: Type.Object(
    {
      numbers: Type.Integer({ minimum: 2, maximum: 3, default: 2, description: "3: x, y and how sure" }),
      unit,
      names: Type.Array(Type.String(), { default: [] }),
    },
    { ...strict, default: {} },
  ),
};

const coding = Type.Object(boxesFields);
export type BoxCoding = Static<typeof coding>;
