// What is on this machine of a model's weights, in the words of commands' and the server's JSON.
import type { Presence } from "./presence.ts";

export type PublishedWeights = {
  state: Presence["state"];
  bytes: number;
  wanted_bytes: number;
  commit?: string;
  settled_at?: string;
  beside?: Record<string, PublishedWeights>;
};

/** Without the folder, which is this machine's own business. */
export const publishedWeights = ({ state, bytes, wantedBytes, pin, beside }: Presence): PublishedWeights => ({
  ...{ state, bytes, wanted_bytes: wantedBytes },
  ...(pin && { commit: pin.commit, settled_at: new Date(pin.at).toISOString() }),
  ...(beside && {
    beside: Object.fromEntries(Object.entries(beside).map(([folder, each]) => [folder, publishedWeights(each)])),
  }),
});
