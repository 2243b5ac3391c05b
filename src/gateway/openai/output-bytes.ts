// A file that a request has made, for answers that bring it along.
import { fileReference } from "../../control/storage/output-files.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { DoneJob, OpenAiParts } from "./runs.ts";

/** `url` as the job's output has it. Throws `unavailable`. */
export async function outputBytes(
  { files }: Pick<OpenAiParts, "files">,
  job: Pick<DoneJob, "files">,
  url: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = fileReference("url", url);
  const file = name === undefined ? undefined : await files.find(job.files, name);
  if (!file)
    throw new ForecourtError("unavailable", "The file that was made is gone: the disk may be full. Ask again.");
  return new Uint8Array(await new Response(await file.read(undefined)).arrayBuffer());
}
