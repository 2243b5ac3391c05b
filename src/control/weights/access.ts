// How this box reaches the Hub and how much its downloads may take, from its settings.
import type { Settings } from "../settings.ts";
import type { HubAccess, PullLimits } from "./pull.ts";
import { createBandwidth, unlimited } from "./transfer/bandwidth.ts";
import { createSlots } from "./transfer/slots.ts";

export type DownloadSettings = Pick<Settings, "hub" | "weights">;

export const hubAccess = ({ hub }: DownloadSettings): HubAccess => ({
  ...(hub.endpoint && { endpoint: hub.endpoint }),
  ...(hub.token && { token: hub.token }),
  ...(hub.proxy && { proxy: hub.proxy }),
  caches: hub.caches,
  isOffline: hub.offline,
});

/** Made once: all downloads of a process share it. */
export const pullLimits = ({ weights: { bandwidthMbps, connections } }: DownloadSettings): Required<PullLimits> => ({
  bandwidth: bandwidthMbps > 0 ? createBandwidth({ bytesPerSecond: (bandwidthMbps * 1e6) / 8 }) : unlimited,
  slots: createSlots(connections),
});
