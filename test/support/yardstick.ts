// How fast this machine is now, in processor time of the thread that asks: other programs do not count, nor do other threads.

export function cpuOfThread(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of a fixed amount of plain work: some thousandths of a second, or hundredths on a machine that has much to do. */
export function yardstick(): number {
  const values = Float32Array.from({ length: 2 ** 22 }, (_, i) => i % 7);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const begin = cpuOfThread();
    for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * 0.5 + 1;
    least = Math.min(least, cpuOfThread() - begin);
  }
  return least;
}

/** Which work took so many yards; the time is told too where FORECOURT_TELL_TURNS asks for it. */
export function yardsOf(name: string, { longest, yard }: { longest: number; yard: number }): number {
  if (process.env.FORECOURT_TELL_TURNS)
    process.stderr.write(`${name}: ${longest.toFixed(0)} ms, ${(longest / yard).toFixed(0)} yards\n`);
  return longest / yard;
}
