// What callers keep by id beside jobs and files: conversations and batches, each in the room of its key.
import { bytes, MIB } from "../core/units.ts";
import { createBatches } from "./batches/batches.ts";
import { createConversations } from "./conversations/conversations.ts";
import { roomOf } from "./rooms/room.ts";
import type { Settings } from "./settings.ts";

type Parts = Omit<Parameters<typeof createBatches>[0], "room" | "maxBytes"> & {
  settings: Pick<Settings, "limits" | "openai" | "storage">;
};

export function createKept({ settings, ...parts }: Parts) {
  const maxBytes = bytes(settings.limits.bodyMb * MIB);
  const conversationRoom = roomOf(settings.openai.conversations.roomMb);
  return {
    conversations: createConversations({ ...parts, maxBytes, room: conversationRoom }),
    batches: createBatches({ ...parts, maxBytes, room: roomOf(settings.storage.roomMb) }),
  };
}
