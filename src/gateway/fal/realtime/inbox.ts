// Messages that wait for their turn, in order: bounded in number and size, the oldest go first.
import type { WaitingRoom } from "../waiting-room.ts";

export type Inbox<Message> = {
  readonly size: number;
  /** False when the room is full. */
  put(message: Message, bytes: number): boolean;
  take(): Message | undefined;
  clear(): void;
};

type Bounds = { most: number; mostBytes: number; room: WaitingRoom };

export function createInbox<Message>({ most, mostBytes, room }: Bounds): Inbox<Message> {
  const waiting: { message: Message; bytes: number }[] = [];
  let held = 0;
  const free = (bytes: number) => {
    held -= bytes;
    room.leave(bytes);
  };
  const shift = () => {
    const first = waiting.shift();
    free(first?.bytes ?? 0);
    return first?.message;
  };
  return {
    get size() {
      return waiting.length;
    },
    put(message, bytes) {
      if (!room.enter(bytes)) return false;
      waiting.push({ message, bytes });
      held += bytes;
      while (waiting.length > most || held > mostBytes) shift();
      return true;
    },
    take: shift,
    clear() {
      waiting.length = 0;
      free(held);
    },
  };
}
