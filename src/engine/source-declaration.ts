// The part of a model file that says where its weights come from.
import { Type, webAddress } from "../core/schema.ts";
import { pathWithin, pinnedFile, sha256 } from "./variant-declaration.ts";

const BRANCH = "^[\\w.-]+(/[\\w.-]+)*$";
const BRANCH_WORDS = "a branch's or a tag's name, such as main";

const track = Type.Optional(
  Type.String({
    pattern: BRANCH,
    expected: BRANCH_WORDS,
    description: "Branch whose new commits become the model's once they have passed a trial",
  }),
);

const repository = Type.String({
  pattern: "^[\\w.-]+/[\\w.-]+$",
  expected: "a repository such as openai/whisper-base, without the Hub's address",
  description: "Hub repository",
});

/** One place that weights come from. */
export const sourceDeclaration = Type.Union([
  Type.Object(
    {
      embedded: Type.String({ description: "Folder of models/ that the executable carries, e.g. demo/diffusion" }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      path: Type.String({
        pattern: "^/",
        expected: "an absolute path",
        description: "Absolute path of a folder on this machine",
      }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      repo: repository,
      revision: Type.String({
        pattern: "^[0-9a-f]{40}$",
        expected: "a commit's 40 hexadecimal digits; a branch or tag goes with `include` instead of `files`",
        description: "Pinned commit",
      }),
      files: Type.Array(pinnedFile, { minItems: 1, description: "What is fetched of it" }),
      track,
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      repo: repository,
      revision: Type.String({
        pattern: BRANCH,
        expected: BRANCH_WORDS,
        description: "Branch or tag: which commit that is, is asked at the first download and kept from then on",
      }),
      include: Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: "Patterns of what is fetched of it; a graph brings its external data along",
      }),
      exclude: Type.Array(Type.String({ minLength: 1 }), { default: [], description: "Patterns of what is not" }),
      bytes: Type.Integer({ minimum: 1, description: "About how much that is, before the listing is known" }),
      track,
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      urls: Type.Array(
        Type.Object(
          {
            url: webAddress({ expected: "an address such as https://example.org/model.onnx" }),
            path: Type.Optional(pathWithin("Its path in the folder; absent: the URL's last segment")),
            bytes: Type.Integer({ minimum: 0 }),
            sha256,
          },
          { additionalProperties: false },
        ),
        { minItems: 1, description: "Files that lie anywhere on the web" },
      ),
    },
    { additionalProperties: false },
  ),
]);

export const licenceDeclaration = Type.Object(
  {
    id: Type.String({ description: "SPDX id or the licence's name" }),
    commercial: Type.Boolean(),
    url: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

/** A relative path without hidden parts, so that nothing can leave the weights or hide in them. */
const FOLDER = "^[A-Za-z0-9_][\\w.-]*(/[A-Za-z0-9_][\\w.-]*)*$";

export const besideDeclaration = Type.Record(
  Type.String({ pattern: FOLDER }),
  Type.Object(
    { source: sourceDeclaration, licence: Type.Optional(licenceDeclaration) },
    // TypeBox 0.34 fills in what is left out inside of a record only where its entries have a default themselves.
    { additionalProperties: false, default: {} },
  ),
  {
    default: {},
    description:
      "Further sources by the folder in which the pipeline and `graphs` find their files, each with its licence where that is not the model's",
  },
);
