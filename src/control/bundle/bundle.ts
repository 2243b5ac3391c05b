// One file that carries models to a box without a network: what is in it, and by which names.
import { choice, parse, type Static, Type } from "../../core/schema.ts";
import { damaged } from "../backup/tar-header.ts";
import { checkedPath } from "../weights/disk/layout.ts";

const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const size = Type.Integer({ minimum: 0 });

const licence = Type.Object({ id: Type.String(), commercial: Type.Boolean(), url: Type.Optional(Type.String()) });

const weightsSchema = Type.Object({
  title: Type.String(),
  folderName: Type.String({ pattern: "^(models|urls)--[\\w.-]+$" }),
  commit: Type.String({ pattern: "^[0-9a-f]{40}$" }),
  /** Where it is not the model's. */
  licence: Type.Optional(licence),
  /** Of a model that has variants: which of them are in it. */
  dtypes: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
  files: Type.Array(
    Type.Object({
      path: Type.String(),
      bytes: size,
      digest: Type.Object({
        algorithm: choice(["sha256", "git-sha1"]),
        hex: Type.String({ pattern: "^[0-9a-f]+$" }),
      }),
      url: Type.String(),
    }),
  ),
});

const bundleSchema = Type.Object({
  format: Type.Literal("forecourt-models-1"),
  version: Type.String({ description: "Of the Forecourt that made it" }),
  madeAt: Type.String(),
  models: Type.Array(
    Type.Object({
      id: Type.String(),
      licence,
      /** Absent for models whose weights the executable carries. */
      weights: Type.Optional(weightsSchema),
      /** Of further sources, by the folder that the model file gives them. */
      beside: Type.Optional(Type.Record(Type.String(), weightsSchema)),
    }),
  ),
  files: Type.Array(Type.Object({ name: Type.String(), size, sha256 })),
});

export type Bundle = Static<typeof bundleSchema>;
export type BundledModel = Bundle["models"][number];
export type BundledWeights = Static<typeof weightsSchema>;
/** Of one source of a model; `folder` is "" for its own. */
export type BundledPart = { folder: string; weights: BundledWeights };

export const MANIFEST = "bundle.json";
/** The manifest's hash, the last file of the archive: one that was cut short has none. */
export const SEAL = "bundle.json.sha256";
export const LICENCES = "LICENCES.txt";

export const fileOfModel = (id: string) => `models/${id.replaceAll("/", "--")}.yaml`;

/** Its own first. */
export const bundledParts = ({ weights, beside = {} }: Pick<BundledModel, "weights" | "beside">): BundledPart[] => [
  ...(weights ? [{ folder: "", weights }] : []),
  ...Object.entries(beside).map(([folder, each]) => ({ folder, weights: each })),
];

/** Throws `weights_missing` for a path that would leave the folder. */
export const fileOfWeights = ({ folderName, commit }: Pick<BundledWeights, "folderName" | "commit">, path: string) =>
  `weights/${folderName}/${commit}/${checkedPath(path)}`;

/** Throws `bad_request` for what is no manifest. */
export function readBundle(text: string): Bundle {
  try {
    return parse(bundleSchema, JSON.parse(text));
  } catch (cause) {
    throw damaged("its manifest cannot be read", cause);
  }
}
