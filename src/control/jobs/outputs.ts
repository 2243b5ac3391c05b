// Whose the output files of a job that is done are, and who may read them from now on.
import { asId, type FileToken, type KeyId } from "../../core/ids.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import { type Acl, isOpen, OPEN } from "../storage/acl.ts";
import type { KeepingStore } from "./keeping-store.ts";

export type Outputs = {
  /** By the token of their folder; undefined where no job that is done has files there. */
  find(token: string): { owner: KeyId; acl: Acl } | undefined;
  /** Resolves when it is on disk. */
  share(token: string, acl: Acl): Promise<void>;
};

type OutputsParts = {
  store: Pick<KeepingStore, "outputsOf" | "setOutputAcl">;
  writes: Pick<GroupCommit, "write" | "committed">;
};

export const createOutputs = ({ store, writes }: OutputsParts): Outputs => ({
  find(token) {
    const found = store.outputsOf(asId<FileToken>(token));
    return found && { owner: found.owner, acl: found.acl === null ? OPEN : (JSON.parse(found.acl) as Acl) }; // as new-job.ts and share() write it
  },
  async share(token, acl) {
    const rules = isOpen(acl) && acl.rules.length === 0 ? null : JSON.stringify(acl);
    writes.write(() => store.setOutputAcl(asId<FileToken>(token), rules));
    await writes.committed();
  },
});
