// How this box reaches the Hub and how much its downloads may take, from its settings.
import type { Settings } from "../settings.ts";
import { createSlots } from "../slots.ts";
import { checkedEndpoint, createHub, DEFAULT_ENDPOINT, type Hub } from "./hub.ts";
import type { HubAccess, PullLimits } from "./pull.ts";
import { createBandwidth, unlimited } from "./transfer/bandwidth.ts";
import { waitText } from "./transfer/patience.ts";
import { createWeb, type Web } from "./transfer/web.ts";

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

/**
 * For questions to the Hub beside downloads. `onNotice` is told of waits, which add up to minutes where the Hub is out of
 * reach. Throws `misconfigured` for an endpoint that is no URL.
 */
export function openHub(
  { endpoint = DEFAULT_ENDPOINT, token, proxy, isOffline = false }: HubAccess,
  onNotice: (text: string) => void = () => {},
): { hub: Hub; web: Web } {
  const web = createWeb({
    isOffline,
    ...(token && { credentials: { origin: new URL(checkedEndpoint(endpoint)).origin, token } }),
    ...(proxy && { proxy }),
  });
  return {
    web,
    hub: createHub({ endpoint, hasToken: Boolean(token), web, onWait: (wait) => onNotice(waitText(wait)) }),
  };
}
