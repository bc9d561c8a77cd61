import { Effect } from "effect"
import type { KisAccount } from "./Account.ts"
import type { KisError } from "./KisError.ts"

/** What was said of each account, kept as long as the account itself. */
const said = new WeakMap<KisAccount, Set<string>>()
const said_max = 200

/**
 * Says once for each account, call and code what nobody will mend by waiting: a request that is wrong, loudly, and a
 * code that is not in the broker's table, as it came. The caller sees every one of them as an error all the same.
 */
export const noticeOnce = (account: KisAccount, error: KisError): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (error._tag !== "KisRefused") return Effect.void
    const { code, configuration, operation, status, text } = error
    const heard = said.get(account) ?? new Set()
    said.set(account, heard)
    const key = `${operation} ${code}`
    if (heard.has(key) || heard.size >= said_max) return Effect.void
    heard.add(key)
    const words = { account: account.alias, operation, status, code, text: text.slice(0, 500) }
    return configuration === true
      ? Effect.logError("the broker says that a request of ours is wrong; it is not said again", words)
      : Effect.logWarning("the broker refuses with a code that is not in its table; it is not said again", words)
  })
