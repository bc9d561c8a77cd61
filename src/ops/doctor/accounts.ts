import { Clock, Effect } from "effect"
import { stat } from "node:fs/promises"
import type { FedAccount } from "../../feed/AccountFeed.ts"
import { readLearnt } from "../../kis/BudgetMemory.ts"
import { traceCredential } from "../../kis/Credential.ts"
import { readConnects } from "../../kis/Governor.ts"
import { spanWords } from "../amountWords.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { fail, type Finding, ok, skipped, warn } from "./Finding.ts"
import type { Installation } from "./Installation.ts"

/** So many replaced at once are a key's or another program's fault, not an hour's. */
const refusals_max = 2

const modeOf = (file: string) =>
  Effect.promise(() =>
    stat(file).then(
      ({ mode }) => mode & 0o777,
      () => undefined
    )
  )

const modeWords = (mode: number) => mode.toString(8).padStart(4, "0")

/** Windows has no such bits. */
const isOpenToOthers = (mode: number) => process.platform !== "win32" && (mode & 0o077) !== 0

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

const ofEach =
  (name: string, look: (account: FedAccount, stateDir: string) => Effect.Effect<Finding>): Check["look"] =>
  ({ accounts, stateDir }: Installation) =>
    accounts === undefined
      ? Effect.succeed([skipped(name, "the simulator in the box is observed; its keys are no secret")])
      : Effect.forEach(accounts, (account) => look(account, stateDir))

export const tokens: Check = { name: "token", look: ofEach("token", tokenOf) }
export const callBudget: Check = { name: "call budget", look: ofEach("call budget", budgetOf) }
export const connects: Check = { name: "connects", look: ofEach("connects", connectsOf) }
