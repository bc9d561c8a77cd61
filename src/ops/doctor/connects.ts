import { Clock, Effect } from "effect"
import type { FedAccount } from "../../feed/AccountFeed.ts"
import { readConnects } from "../../kis/Governor.ts"
import { spanWords } from "../amountWords.ts"
import type { Check } from "../Doctor.ts"
import { type Finding, ok, warn } from "./Finding.ts"
import { ofEachAccount } from "./ofEachAccount.ts"

const connectsOf = Effect.fnUntraced(function* (account: FedAccount, stateDir: string): Effect.fn.Return<Finding> {
  const name = "connects"
  const { alias } = account
  const nowMs = yield* Clock.currentTimeMillis
  const { connectsLastHour, connectsPerHour_max, nextAtMs } = yield* readConnects(account, stateDir)
  const words = `${alias}: ${connectsLastHour} of at most ${connectsPerHour_max} in the last hour`
  const details = { account: alias, connectsLastHour, connectsPerHour_max }
  // Two of them are always seconds apart, which is no shortage.
  if (nextAtMs === undefined || nextAtMs - nowMs <= 5_000) return ok(name, words, { details })
  const advice = "find out why the stream is lost again and again: too many connects get the key blocked"
  return warn(name, `${words}; the next one is allowed in ${spanWords(nextAtMs - nowMs)}`, advice, { details })
})

/** How often each account has connected its stream in the last hour. */
export const connects: Check = { name: "connects", look: ofEachAccount("connects", connectsOf) }
