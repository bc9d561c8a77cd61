import { Effect } from "effect"
import type { FedAccount } from "../../feed/AccountFeed.ts"
import type { Check } from "../Doctor.ts"
import { type Finding, skipped } from "./Finding.ts"
import type { Installation } from "./Installation.ts"

/** A check that has a line for each account. */
export const ofEachAccount =
  (name: string, look: (account: FedAccount, stateDir: string) => Effect.Effect<Finding>): Check["look"] =>
  ({ accounts, stateDir }: Installation) =>
    accounts === undefined
      ? Effect.succeed([skipped(name, "the simulator in the box is observed; its keys are no secret")])
      : Effect.forEach(accounts, (account) => look(account, stateDir))
