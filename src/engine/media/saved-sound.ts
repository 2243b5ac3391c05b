// Sound at the border of a pipeline: written in the format that was asked for, as fal's answers carry files.
import type { SavedFile, Task } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import type { Channels, Sound } from "./channels.ts";
import { encodeSound, type SoundFormat } from "./encode-sound.ts";
import { saveFile } from "./saved-file.ts";

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
  return await saveFile({ task, bytes, name: `${name}.${ending}`, contentType, inline });
}
