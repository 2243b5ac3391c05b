// Batches whose budget is too small for all of their lines at once: each line that can be paid is done, no other is, and the
// budget is not overrun meanwhile.
import { expect, test } from "bun:test";
import { parseBudget } from "../../../src/control/accounts/budget-text.ts";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import type { KeyId } from "../../../src/core/ids.ts";
import { nanos } from "../../../src/core/money.ts";
import { mostTokens } from "../../../src/engine/generation/most-tokens.ts";
import { batchBench, begun, isOver, keyOf, read, until } from "../../support/batch-bench.ts";
import type { TestAppliance } from "../../support/create-test-appliance.ts";
import { type Answer, createFakeFleet } from "../../support/fake-fleet.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const SEEDS = 12;
const LINES = 60;
/** Of a token. */
const PRICE = 0.001;

const { model } = createCatalog({}).find("forecourt/demo-llama") ?? expect.unreachable();

/** A line is its number and the most tokens of its answer. */
const inputOf = (line: string) => ({ prompt: line, max_tokens: Number(line.split(" ")[1]) });
const ceilingOf = (line: string) => mostTokens(inputOf(line) as never).tokens ?? expect.unreachable();

/** Takes some turns of the event loop, and comes to less than was set aside, or to all of it, or fails. */
const answering =
  (random: () => number): Answer =>
  async ({ input }) => {
    for (let turns = random() * 20; turns > 0; turns--) await new Promise(setImmediate);
    if (random() < 0.05) return { code: "runner_failed", message: "no" };
    const most = mostTokens(input as never);
    const share = random() < 0.1 ? 1 : 0.3 * random();
    const output_tokens = Math.floor(Number(input.max_tokens ?? 1000) * share);
    const units = { input_tokens: most.input_tokens ?? 0, output_tokens };
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cached_tokens: 0 };
    return [{ type: "output", value: { output: "", partial: false, finish_reason: "stop", usage }, units }];
  };

/** In tokens. */
function stateOf(box: TestAppliance, key: KeyId) {
  const [budget] = box.accounts.stateOf({ kind: "key", id: key }).budgets;
  const { amount, spent, reserved, unit } = budget ?? expect.unreachable();
  const token = unit === "USD" ? nanos(PRICE) : 1e6;
  return { amount: amount / token, spent: spent / token, reserved: reserved / token };
}

for (let seed = 1; seed <= SEEDS; seed++)
  test(`seed ${seed}: what can be paid is done, what cannot is refused, nothing is overrun`, async () => {
    const random = seededRandom(seed);
    const lines = Array.from({ length: LINES }, (_, at) => `${at} ${Math.ceil(random() ** 3 * 40_000)}`);
    const ceilings = lines.map(ceilingOf);
    const all = ceilings.reduce((sum, each) => sum + each, 0);
    const amount = Math.floor(Math.max(...ceilings.slice(0, 3)) + random() * 0.4 * all);
    const budget = parseBudget(seed % 2 === 0 ? `${amount} tokens/month` : `${(amount * PRICE).toFixed(3)} USD/month`);
    const { clock, open } = batchBench({ asked: (line) => ({ model, endpoint: model.id, input: inputOf(line) }) });
    await using box = await open(createFakeFleet({ clock, answer: answering(random) }));
    const parts = [{ unit: "token", amount: nanos(PRICE) }];
    box.accounts.store.setPrice({ holder: "all", model: model.id, price: { currency: "USD", parts } });
    const { id: key } = keyOf(box, { budgets: [budget] });
    const { id } = await begun(box, key, lines);
    let others = 5;
    await until(isOver(box, id), () => {
      const { spent, reserved, ...of } = stateOf(box, key);
      expect(spent + reserved).toBeLessThanOrEqual(of.amount);
      // Somebody else's, whose most nobody can foresee: it takes all that is left for a while.
      if (others-- > 0) {
        const asked = { model, endpoint: model.id, key, input: { prompt: "other" }, rejectInvalid: true };
        void box.jobs.submit(asked).catch((error) => expect(error).toMatchObject({ code: "budget_exhausted" }));
      }
      clock.advance(250);
    });
    const batch = box.batches.find(id) ?? expect.unreachable();
    expect(batch.status).toBe("completed");
    expect(await read(box, batch.output)).toHaveLength(batch.done);
    const { spent } = stateOf(box, key);
    for (const line of await read(box, batch.errors)) {
      if (line.endsWith(" failed")) continue;
      expect(line).toEndWith(" budget_exhausted");
      // What was left never was enough for it: what is spent does not come back.
      expect(ceilingOf(line)).toBeGreaterThan(amount - spent);
    }
  });

test("a line that asks for more than there ever is does not wait for those that are under way", async () => {
  const { clock, open } = batchBench({ asked: (line) => ({ model, endpoint: model.id, input: inputOf(line) }) });
  const fleet = createFakeFleet({ clock, automatic: false });
  await using box = await open(fleet);
  const { id: key } = keyOf(box, { budgets: [parseBudget("2000 tokens/day")] });
  const { id } = await begun(box, key, ["0 500", "1 50000", "2 600"]);
  const failed = () => box.batches.find(id)?.failed ?? 0;
  await until(
    () => failed() > 0,
    () => clock.advance(250),
  );
  expect(box.batches.find(id)).toMatchObject({ status: "in_progress", done: 0, failed: 1 });
  // One of the two others runs, the other one waits for it.
  expect([ceilingOf("0 500"), ceilingOf("2 600")]).toContain(stateOf(box, key).reserved);
  await box.batches.cancel(id);
  await until(isOver(box, id), () => clock.advance(250));
  expect(await read(box, box.batches.find(id)?.errors)).toEqual(["1 50000 budget_exhausted"]);
});
