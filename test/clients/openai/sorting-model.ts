// Model files of models that sort into classes.

/** `rest`: its pipeline, its weights and what its classes mean. */
export const sortingModel = (id: string, rest: string) => `
id: test/${id}
title: ${id}
description: Sorts.
category: classification
licence: { id: Apache-2.0, commercial: true }
memory: { weights: 1000000, working: 1000000 }
price: { unit: request, amount: 0, currency: USD }
${rest}`;
