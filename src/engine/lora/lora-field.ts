// The `loras` field (fal-protocol.md 12), and the files that it names.
import { isDataUri } from "../../core/data-uri.ts";
import type { Assets, Task } from "../../core/pipeline.ts";
import { isHubRepository, type Static, Type, weightsUrl } from "../../core/schema.ts";
import { badLora } from "./failures.ts";

export const loraField = Type.Array(
  Type.Object({
    path: weightsUrl(
      "URL of a .safetensors file, a Hub repository with one (owner/name), or the path of one among the model's own files.",
    ),
    scale: Type.Number({ default: 1, minimum: -4, maximum: 4, description: "How much of it to add." }),
    force: Type.Optional(Type.Boolean({ description: "Accepted for compatibility: a LoRA is merged either way." })),
  }),
  {
    default: [],
    maxItems: 5,
    description:
      "Small changes of the model's weights, added to them before the drawing. All in use are kept until others are asked for.",
  },
);

export type LoraFile = { path: string; scale: number; bytes: Uint8Array };

type Asked = Pick<Task<{ loras: Static<typeof loraField> }>, "input" | "media">;

/** In the field's order. Throws `invalid_input` that names the field for what is neither a URL nor a file of the model. */
export async function readLoraFiles({ input, media }: Asked, assets: Assets): Promise<LoraFile[]> {
  return await Promise.all(
    input.loras.map(async ({ path, scale }) => ({ path, scale, bytes: await bytesOf(path, { media, assets }) })),
  );
}

async function bytesOf(
  path: string,
  { media, assets }: Pick<Asked, "media"> & { assets: Assets },
): Promise<Uint8Array> {
  if (/^https?:/i.test(path) || isDataUri(path) || isHubRepository(path)) return await media(path);
  if (isFile(path, assets)) return await assets.bytes(path);
  const hint = "give the URL of a .safetensors file, or a Hub repository as owner/name";
  throw badLora(`There is no LoRA "${path.slice(0, 200)}" among the model's files: ${hint}`);
}

/** Paths that leave the model's folder are no files of it. */
function isFile(path: string, assets: Assets): boolean {
  try {
    return path.endsWith(".safetensors") && assets.has(path);
  } catch {
    return false;
  }
}
