// The kinds of input of the generic pipeline by name.
import { type Static, type TObject, Type } from "../../core/schema.ts";
import { audio } from "./inputs/audio.ts";
import { image } from "./inputs/image.ts";
import { tensor } from "./inputs/tensor.ts";
import { text } from "./inputs/text.ts";
import type { InputKind } from "./kinds.ts";

const kinds = { image, audio, text, tensor } as const;

export const inputDeclaration = Type.Union([image.declared, audio.declared, text.declared, tensor.declared]);
export type InputDeclaration = Static<typeof inputDeclaration>;

/** The one place where the kinds' own types are forgotten: `kind` chose the right one. */
export const inputKind = ({ kind }: InputDeclaration) => kinds[kind] as unknown as InputKind<TObject>;
