// OpenAI's bodies at fal.run, where fal passes them on to its router of language models.
import type { Face } from "../fal/call.ts";
import { afterFalRouter } from "./root.ts";

/** All else is the face's own. */
export const withFalRouter =
  (run: Face, openAi: Face): Face =>
  (call) => {
    const path = afterFalRouter(call.path);
    return path === undefined ? run(call) : openAi({ ...call, path });
  };
