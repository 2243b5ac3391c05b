// A fleet's events, told by the test.
import type { FleetEvent } from "../../src/control/fleet/events.ts";

export function createToldFleet() {
  const listeners = new Set<(event: FleetEvent) => void>();
  return {
    subscribe(listener: (event: FleetEvent) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(event: FleetEvent) {
      for (const listener of listeners) listener(event);
    },
  };
}
