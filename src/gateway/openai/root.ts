// Where OpenAI's API begins: below it all failures are told in its words.

const OPENAI_ROOT = "/v1/";

/** fal's own endpoint for OpenAI's bodies, below fal.run: `openrouter/router/openai/v1/chat/completions`. */
const FAL_ROUTER = "openrouter/router/openai/v1/";

/** By the path from `at` in a URL. Asked for every answer: without parsing it. */
export const isOpenAiPath = (url: string, at: number): boolean =>
  [OPENAI_ROOT, `/run/${FAL_ROUTER}`, `/${FAL_ROUTER}`].some((root) => url.startsWith(root, at));

/** What follows fal's endpoint in a path of fal.run; undefined for all other paths. */
export const afterFalRouter = (path: string): string | undefined =>
  path.startsWith(FAL_ROUTER) ? path.slice(FAL_ROUTER.length) : undefined;
