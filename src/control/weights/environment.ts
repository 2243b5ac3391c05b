// Where Hugging Face's own tools keep their token and cache, by their environment variables.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type HuggingFaceEnvironment = {
  /** HF_ENDPOINT. */
  endpoint?: string;
  /** HF_TOKEN, else the token file that `hf auth login` writes. */
  token?: string;
  /** HF_HUB_OFFLINE. */
  isOffline: boolean;
  /** Caches that exist. */
  caches: string[];
};

/** Reads the token file and looks which caches exist; `env` is handed in because settings.ts alone reads the process's. */
export function huggingFaceEnvironment({
  env,
  home,
}: {
  env: Record<string, string | undefined>;
  home: string;
}): HuggingFaceEnvironment {
  const base = env.HF_HOME || join(env.XDG_CACHE_HOME || join(home, ".cache"), "huggingface");
  const cache = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(base, "hub");
  const token = env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN || tokenIn(env.HF_TOKEN_PATH || join(base, "token"));
  return {
    ...(env.HF_ENDPOINT && { endpoint: env.HF_ENDPOINT }),
    ...(token && { token: token.trim() }),
    isOffline: /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ""),
    caches: existsSync(cache) ? [cache] : [],
  };
}

const tokenIn = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim() : undefined);
