// What waits on all sockets for its turn lies in memory, and is bounded together: each alone may wait with far less.

export type WaitingRoom = {
  /** False when there is no room for so many bytes. */
  enter(bytes: number): boolean;
  leave(bytes: number): void;
};

const MOST_BYTES = 512 * 1024 * 1024;

export function createWaitingRoom({ most = MOST_BYTES } = {}): WaitingRoom {
  let held = 0;
  return {
    enter(bytes) {
      if (held + bytes > most) return false;
      held += bytes;
      return true;
    },
    leave(bytes) {
      held -= bytes;
    },
  };
}
