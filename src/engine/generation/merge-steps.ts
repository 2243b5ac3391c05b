// Steps of several jobs as they come, each under the index of its job.
type Indexed<Step> = { index: number; step: Step };

/** What is left unread when the reader leaves is closed; one that fails takes the others with it. */
export async function* mergeSteps<Step>(sources: readonly AsyncGenerator<Step>[]): AsyncGenerator<Indexed<Step>> {
  const pull = async (index: number) => ({ index, result: await sources[index]?.next() });
  const pending = new Map(sources.map((_, index) => [index, pull(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      pending.delete(index);
      if (!result || result.done) continue;
      yield { index, step: result.value };
      pending.set(index, pull(index));
    }
  } finally {
    for (const rest of pending.values()) rest.catch(() => {});
    await Promise.allSettled(sources.map((source) => source.return(undefined)));
  }
}
