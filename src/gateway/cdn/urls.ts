// Where an upload is sent to and where its file is read.
import type { Upload } from "../../control/storage/upload-content.ts";
import type { Roots } from "../fal/call.ts";

type Root = Pick<Roots, "cdn">;

export const fileUrl = ({ token, name }: Pick<Upload, "token" | "name">, { cdn }: Root) =>
  `${cdn}/files/b/${token}/${name}`;

/** Parts go to `<url>/<number>`, the end to `<url>/complete`. */
export const uploadUrl = ({ secret }: Pick<Upload, "secret">, { cdn }: Root) => `${cdn}/uploads/${secret}`;
