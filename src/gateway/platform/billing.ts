// GET /account/billing: who pays, and what is left of the budgets of the asking key.
import { isCurrency } from "../../control/accounts/account.ts";
import { choice, Type } from "../../core/schema.ts";
import { adminGet } from "./operation.ts";
import { nullable } from "./query.ts";

const NANOS = 1e9;

export const accountBilling = adminGet({
  path: "/account/billing",
  summary: "The asking key, and what its tightest budget of money has left; a box has budgets where fal has credits",
  query: Type.Object({ expand: Type.Optional(Type.Array(choice(["credits"]))) }),
  result: Type.Object({
    username: Type.String(),
    credits: Type.Optional(
      nullable(
        Type.Object({ current_balance: Type.Number(), currency: Type.String() }, { description: "Null: no limit" }),
      ),
    ),
  }),
  answer({ accounts }, { caller, query: { expand = [] } }) {
    const { budgets } = accounts.stateOf({ kind: "key", id: caller.id });
    const [tightest] = budgets.filter(({ unit }) => isCurrency(unit)).sort((a, b) => a.remaining - b.remaining);
    const credits = tightest && { current_balance: tightest.remaining / NANOS, currency: tightest.unit };
    return { username: caller.name, ...(expand.includes("credits") && { credits: credits ?? null }) };
  },
});
