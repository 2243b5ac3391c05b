// The API that follows from a declaration: fields of the request and of the answer.
import { type TObject, Type } from "../../core/schema.ts";
import { savedFields } from "../media/picture.ts";
import type { OnnxDeclaration } from "./declaration.ts";
import { inputKind } from "./inputs.ts";
import { outputKind } from "./outputs.ts";

export function schemasOf({ inputs, outputs }: OnnxDeclaration): { input: TObject; output: TObject } {
  const given = Object.entries(inputs).map(([name, declared]) => [name, inputKind(declared).field(declared)]);
  const kinds = Object.entries(outputs).map(([name, declared]) => ({ name, declared, kind: outputKind(declared) }));
  const options = kinds.map(({ kind, declared }) => kind.options?.(declared) ?? {});
  const hasPictures = kinds.some(({ kind }) => kind.hasPictures);
  return {
    input: Type.Object({
      ...Object.fromEntries(given),
      ...Object.assign({}, ...options),
      ...(hasPictures && savedFields()),
    }),
    output: Type.Object(Object.assign({}, ...kinds.map(({ name, kind, declared }) => kind.fields(name, declared)))),
  };
}
