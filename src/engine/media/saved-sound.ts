// Sound at the border of a pipeline: written in the format that was asked for, as fal's answers carry files.
import type { SavedFile, Task } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import type { Channels } from "./channels.ts";
import { encodeSound, type SoundFormat } from "./encode-sound.ts";
import type { Sound } from "./sound.ts";

export const soundField = Type.Object({
  url: Type.String({ description: "Where to get the sound, or the sound itself as a data URI." }),
  content_type: Type.String(),
  file_name: Type.String(),
  file_size: Type.Integer({ description: "Bytes." }),
});

type Saving = {
  task: Pick<Task<unknown>, "save">;
  sound: Sound | Channels;
  /** Without ending; must be new in the job's folder. */
  name: string;
  format: SoundFormat;
  /** Give the bytes as a data URI and write no file. */
  inline: boolean;
};

export async function saveSound({ task, sound, name, format, inline }: Saving): Promise<SavedFile> {
  const { bytes, contentType, ending } = await encodeSound(sound, format);
  const fileName = `${name}.${ending}`;
  if (!inline) return await task.save(bytes, { name: fileName, contentType });
  const url = `data:${contentType};base64,${bytes.toBase64()}`;
  return { url, content_type: contentType, file_name: fileName, file_size: bytes.length };
}
