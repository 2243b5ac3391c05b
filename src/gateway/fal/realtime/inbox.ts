// Messages that wait for their turn, in order: bounded in number and size, the oldest go first.

export type Inbox<Message> = {
  readonly size: number;
  /** Gives the messages that had to go, itself among them when it alone is too large. */
  put(message: Message, bytes: number): Message[];
  take(): Message | undefined;
  clear(): void;
};

export function createInbox<Message>({ most, mostBytes }: { most: number; mostBytes: number }): Inbox<Message> {
  const waiting: { message: Message; bytes: number }[] = [];
  let held = 0;
  const shift = () => {
    const first = waiting.shift();
    held -= first?.bytes ?? 0;
    return first?.message;
  };
  return {
    get size() {
      return waiting.length;
    },
    put(message, bytes) {
      waiting.push({ message, bytes });
      held += bytes;
      const dropped: Message[] = [];
      while (waiting.length > most || held > mostBytes) {
        const oldest = shift();
        if (oldest !== undefined) dropped.push(oldest);
      }
      return dropped;
    },
    take: shift,
    clear() {
      waiting.length = 0;
      held = 0;
    },
  };
}
