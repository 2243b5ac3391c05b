// transformers.js itself, the only file that imports it: cut off from the network and from caches of its own.
import * as library from "@huggingface/transformers";

const { env } = library;
// Files come from the weights folder alone, and nothing is kept anywhere else.
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.useFSCache = false;
env.useBrowserCache = false;
env.useWasmCache = false;
env.fetch = () => Promise.reject(new Error("a runner has no network"));
env.logLevel = library.LogLevel.ERROR;

export { library };
