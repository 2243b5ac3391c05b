// A second caller, in a process of its own: asks for /health and a small model in turns until its input ends, then prints how
// long each answer took.
const [address = "", key = "", model = ""] = process.argv.slice(2);

const headers = { authorization: `Key ${key}`, "content-type": "application/json" };
const waits: Record<"health" | "echo", number[]> = { health: [], echo: [] };

async function timed(name: keyof typeof waits, ask: () => Promise<Response>): Promise<void> {
  const begin = performance.now();
  const answer = await ask();
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${name} answered ${answer.status}`);
  waits[name].push(performance.now() - begin);
}

let isOver = false;
process.stdin.on("end", () => {
  isOver = true;
});
process.stdin.resume();
while (!isOver) {
  await timed("health", () => fetch(`${address}/health`));
  await timed("echo", () =>
    fetch(`${address}/run/${model}`, { method: "POST", headers, body: JSON.stringify({ prompt: "hello" }) }),
  );
  await new Promise((resolve) => setImmediate(resolve));
}
process.stdout.write(JSON.stringify(waits));

export {};
