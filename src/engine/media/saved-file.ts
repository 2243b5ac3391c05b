// Files at the border of a pipeline, as fal's answers carry them.
import type { SavedFile, Task } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";

export const savedFileField = (description: string) =>
  Type.Object(
    {
      url: Type.String(),
      content_type: Type.String(),
      file_name: Type.String(),
      file_size: Type.Integer({ description: "Bytes." }),
    },
    { description },
  );

type Saving = {
  task: Pick<Task<unknown>, "save">;
  bytes: Uint8Array;
  /** Must be new in the job's folder. */
  name: string;
  contentType: string;
  /** Give the bytes as a data URI and write no file. */
  inline: boolean;
};

export async function saveFile({ task, bytes, name, contentType, inline }: Saving): Promise<SavedFile> {
  if (!inline) return await task.save(bytes, { name, contentType });
  const url = `data:${contentType};base64,${bytes.toBase64()}`;
  return { url, content_type: contentType, file_name: name, file_size: bytes.length };
}
