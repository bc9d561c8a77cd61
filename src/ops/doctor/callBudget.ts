import { Clock, Effect } from "effect"
import type { FedAccount } from "../../feed/AccountFeed.ts"
import { readLearnt } from "../../kis/BudgetMemory.ts"
import { spanWords } from "../amountWords.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { type Finding, ok, warn } from "./Finding.ts"
import { ofEachAccount } from "./ofEachAccount.ts"

const budgetOf = Effect.fnUntraced(function* (account: FedAccount, stateDir: string): Effect.fn.Return<Finding> {
  const name = "call budget"
  const { alias, limit } = account
  const nowMs = yield* Clock.currentTimeMillis
  const learnt = yield* readLearnt(account, stateDir)
  const allowed = `${plural(limit.callsPerSecond, "call")} a second (${limit.source})`
  const details = { account: alias, callsPerSecond: limit.callsPerSecond, ...learnt }
  if (learnt === undefined) return ok(name, `${alias}: ${allowed}; nothing is learnt yet`, { details })
  const { callsPerSecond, learntAtMs, learntPerSecond } = learnt
  const since = `${spanWords(nowMs - learntAtMs)} ago`
  if (learntPerSecond >= callsPerSecond) return ok(name, `${alias}: ${allowed}, all of them`, { details })
  const words = `${alias}: ${allowed}; the broker was found to take ${learntPerSecond}, ${since}`
  const advice = "a key in its first three days has 3; else look for other programs that use this app key"
  return warn(name, words, advice, { details })
})

/** What each key may call, and what the broker was found to take. */
export const callBudget: Check = { name: "call budget", look: ofEachAccount("call budget", budgetOf) }
