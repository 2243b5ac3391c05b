// A file of an answer that is neither a picture nor a sound.
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
