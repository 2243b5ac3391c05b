// A model of the operator's own in a data directory: echo with a price, so that money is spent without weights.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const PRICED_ECHO = "test/priced-echo";

/** Two cents a request, or so many dollars. `maxBatch`: how many it takes up at a time. */
export function writePricedEcho(data: string, { maxBatch = 1, amount = 0.02 } = {}): void {
  const folder = join(data, "models");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = `id: ${PRICED_ECHO}
title: Priced echo
description: Echo for money.
category: llm
licence: { id: Apache-2.0, commercial: true }
pipeline: echo
source: { embedded: none }
memory: { weights: 50000000, working: 1000000 }
price: { unit: request, amount: ${amount}, currency: USD }
limits: { timeoutSeconds: 120, maxBatch: ${maxBatch} }
tags: [internal]
examples:
  - prompt: hello
`;
  writeFileSync(join(folder, "priced-echo.yaml"), file, { mode: 0o600 });
}
