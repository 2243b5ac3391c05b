// The kinds of output of the generic pipeline by name.
import { type Static, type TObject, Type } from "../../core/schema.ts";
import type { OutputKind } from "./kinds.ts";
import { boxes } from "./outputs/boxes.ts";
import { classes } from "./outputs/classes.ts";
import { embedding } from "./outputs/embedding.ts";
import { image } from "./outputs/image.ts";
import { keypoints } from "./outputs/keypoints.ts";
import { mask } from "./outputs/mask.ts";
import { number } from "./outputs/number.ts";
import { segments } from "./outputs/segments.ts";
import { tensor } from "./outputs/tensor.ts";
import { text } from "./outputs/text.ts";

const kinds = { image, mask, classes, number, boxes, keypoints, embedding, text, segments, tensor } as const;

export const outputDeclaration = Type.Union([
  image.declared,
  mask.declared,
  classes.declared,
  number.declared,
  boxes.declared,
  keypoints.declared,
  embedding.declared,
  text.declared,
  segments.declared,
  tensor.declared,
]);
export type OutputDeclaration = Static<typeof outputDeclaration>;

/** The one place where the kinds' own types are forgotten: `kind` chose the right one. */
export const outputKind = ({ kind }: OutputDeclaration) => kinds[kind] as unknown as OutputKind<TObject>;
