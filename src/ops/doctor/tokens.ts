import { Clock, Effect } from "effect"
import { stat } from "node:fs/promises"
import type { FedAccount } from "../../feed/AccountFeed.ts"
import { isOpenToOthers, modeWords } from "../../domain/fileMode.ts"
import { traceCredential } from "../../kis/Credential.ts"
import { spanWords } from "../amountWords.ts"
import type { Check } from "../Doctor.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"
import { ofEachAccount } from "./ofEachAccount.ts"

/** So many replaced at once are a key's or another program's fault, not an hour's. */
const refusals_max = 2

const modeOf = (file: string) =>
  Effect.promise(() =>
    stat(file).then(
      ({ mode }) => mode,
      () => undefined
    )
  )

/** What a key's secrets of either kind lie in, where others may read it. */
const openFile = Effect.fnUntraced(function* (account: FedAccount, stateDir: string) {
  for (const kind of ["token", "approval"]) {
    const file = (yield* traceCredential(account, stateDir, { kind }))?.file
    const mode = file === undefined ? undefined : yield* modeOf(file)
    if (file !== undefined && mode !== undefined && isOpenToOthers(mode)) return { file, mode: modeWords(mode) }
  }
  return undefined
})

/** Looks at the cached token without asking for one: each issue sends a message to the owner's phone. */
const tokenOf = Effect.fnUntraced(function* (account: FedAccount, stateDir: string): Effect.fn.Return<Finding> {
  const name = "token"
  const { alias } = account
  const nowMs = yield* Clock.currentTimeMillis
  const open = yield* openFile(account, stateDir)
  if (open !== undefined) {
    const words = `${alias}: a file with a secret is open to other users (mode ${open.mode})`
    return fail(name, words, `chmod 600 ${open.file}`, { details: { account: alias, mode: open.mode } })
  }
  const trace = yield* traceCredential(account, stateDir, { kind: "token" })
  if (trace === undefined) return ok(name, `${alias}: none is kept; the observer asks for one when it starts`)
  const { endsAtMs, file, issuedAtMs, readable, refusals } = trace
  const mode = yield* modeOf(file)
  const details = {
    account: alias,
    ...(mode === undefined ? {} : { mode: modeWords(mode) }),
    ...(issuedAtMs === undefined ? {} : { age_seconds: Math.round((nowMs - issuedAtMs) / 1_000) }),
    ...(endsAtMs === undefined ? {} : { endsAt: new Date(endsAtMs).toISOString() }),
    refusals
  }
  if (!readable) {
    const advice = "nothing needs to be done: a minute after its last change another is asked for"
    return warn(name, `${alias}: its file cannot be read`, advice, { details })
  }
  if (refusals > refusals_max) {
    const words = `${alias}: the broker refused ${refusals} tokens in a row soon after it had issued them`
    return fail(name, words, "end other programs that use this app key, or make a new key at the broker", { details })
  }
  if (endsAtMs === undefined || issuedAtMs === undefined) {
    return ok(name, `${alias}: the last one was refused or is being asked for; the observer sees to it`, { details })
  }
  const age = `${spanWords(nowMs - issuedAtMs)} old`
  return endsAtMs > nowMs
    ? ok(name, `${alias}: ${age}, good for ${spanWords(endsAtMs - nowMs)} more`, { details })
    : ok(name, `${alias}: ended ${spanWords(nowMs - endsAtMs)} ago; the observer asks for another when it needs it`, {
        details
      })
})

/** The cached token of each account: its age and end, and who may read it. */
export const tokens: Check = { name: "token", look: ofEachAccount("token", tokenOf) }
