import { Clock, Effect, Redacted, Result, Schema, Semaphore } from "effect"
import { hostname } from "node:os"
import { keepIssued } from "../domain/Secrets.ts"
import type { KisAccount } from "./Account.ts"
import { KisIssueWithheld, type KisError, KisTokenTooSoon, KisUnreachable } from "./KisError.ts"
import { type Found, makeStateFile } from "./StateFile.ts"

/** What one key remembers of one kind of secret across restarts, and tells the other processes of the folder. */
const Memory = Schema.Struct({
  /** UTC milliseconds up to which a request may have reached the broker, answered or not. */
  attemptedAtMs: Schema.Finite,
  askedBy: Schema.optionalKey(Schema.String),
  secret: Schema.optionalKey(Schema.RedactedFromValue(Schema.String)),
  issuedAtMs: Schema.optionalKey(Schema.Finite),
  endsAtMs: Schema.optionalKey(Schema.Finite),
  /** Issues in a row that the broker did not accept soon after it had made them. */
  refusals: Schema.optionalKey(Schema.Int),
  /** Requests in a row that may have been issues and brought nothing: unanswered, unreadable, or under way. */
  lost: Schema.optionalKey(Schema.Int)
})
type Memory = typeof Memory.Type

export interface Issued {
  readonly secret: Redacted.Redacted
  /** How long the secret is to be used, counted from when it was asked for. */
  readonly life_ms: number
}

export interface IssueRules {
  /** Names it in logs and errors. */
  readonly what: "token" | "approval key"
  /** Begins the name of its file. */
  readonly kind: string
  /** Between two requests of one key, whoever makes them. */
  readonly between_ms: number
  /** How many in a row may be refused before their replacement has to wait longer than that. */
  readonly atOnce: number
  /** The longest distance between requests whose answers are lost: each may have been an issue. */
  readonly lost_ms_max: number
}

export interface Credential {
  /** A secret that holds for some time yet, at the most half its life; from memory, from disk, or asked for. */
  current(ahead_ms: number): Effect.Effect<Redacted.Redacted, KisError>
  /** Forgets a secret that the broker did not accept, unless it has been replaced already, by us or another process. */
  drop(secret: Redacted.Redacted): Effect.Effect<void>
  /** What is held now; `undefined` when nothing is. */
  readonly held: Effect.Effect<
    { readonly secret: Redacted.Redacted; readonly issuedAtMs: number; readonly endsAtMs: number } | undefined
  >
  /** Requests of this process. */
  readonly issues: () => number
}

/** A request is answered by then, its wait for the call budget included, or given up. */
const inFlight_ms = 20_000
const poll_ms = 1_000
/** After the broker's own "too soon": three more tries, a minute apart. */
const tooSoon_max = 3
/** Whoever waits gives up by then; the caller tries again, and the page shows why. */
const waiting_ms_max = 300_000
/** A longer wait than this is an error at once, so that nobody hangs on it. */
const wait_ms_max = 90_000
/** A secret refused so soon after its issue says that a new one does not help; one that served for longer was revoked. */
const soon_ms = 300_000

type Turn =
  | { readonly _tag: "Held"; readonly secret: Redacted.Redacted }
  | { readonly _tag: "Ask"; readonly previousMs: number }
  | { readonly _tag: "Wait"; readonly wait_ms: number; readonly memory: Memory }

const usable = (memory: Memory | undefined, nowMs: number, ahead_ms: number): Redacted.Redacted | undefined => {
  const { endsAtMs, issuedAtMs, secret } = memory ?? {}
  if (secret === undefined || issuedAtMs === undefined || endsAtMs === undefined) return undefined
  return endsAtMs - Math.min(ahead_ms, (endsAtMs - issuedAtMs) / 2) > nowMs ? secret : undefined
}

/** Lost answers in a row after which the distance begins to grow: one may happen to anybody, and to a program that is ended. */
const lostAtOnce = 2

/** After so many more than the first it is two minutes, then twice that, up to a longest distance. */
const grown_ms = (between_ms: number, more: number, max_ms: number): number =>
  more <= 0 ? between_ms : Math.max(between_ms, Math.min(max_ms, 60_000 * 2 ** Math.min(more, 10)))

/** The first replacements are asked for at once; when they are refused as well, the next ever later, to an hour. */
const distance_ms = ({ atOnce, between_ms, lost_ms_max }: IssueRules, { lost = 0, refusals = 0 }: Memory): number =>
  Math.max(grown_ms(between_ms, refusals - atOnce, 3_600_000), grown_ms(between_ms, lost - lostAtOnce, lost_ms_max))

/** Whether the broker may have issued something all the same: it was reached, and did not say that it refuses. */
const mayHaveIssued = (error: KisError): boolean =>
  error._tag === "KisReplyMalformed" || (error._tag === "KisUnreachable" && error.unsent !== true)

/** The request did not leave us. */
const isUnsent = (error: KisError): boolean =>
  error._tag === "KisBudgetBusy" || (error._tag === "KisUnreachable" && error.unsent === true)

/** Reads a record; one that cannot be read may have been an issue's at the moment it was written. */
const memoryOf = (found: Found<Memory>): Memory | undefined =>
  found._tag === "Known" ? found.value : found._tag === "Broken" ? { attemptedAtMs: found.changedAtMs } : undefined

/** Who may ask now. The record of the attempt is the lock: it names its owner, and goes stale by itself after its minute. */
const takeTurn = (
  memory: Memory | undefined,
  nowMs: number,
  ahead_ms: number,
  rules: IssueRules,
  askedBy: string
): readonly [Turn, Memory | undefined] => {
  const secret = usable(memory, nowMs, ahead_ms)
  if (secret !== undefined) return [{ _tag: "Held", secret }, undefined]
  if (memory === undefined) {
    return [
      { _tag: "Ask", previousMs: 0 },
      { attemptedAtMs: nowMs + inFlight_ms, askedBy, lost: 1 }
    ]
  }
  // A clock set back must not make us wait for the difference.
  const setBack = memory.attemptedAtMs > nowMs + inFlight_ms
  const attemptedAtMs = setBack ? nowMs : memory.attemptedAtMs
  const wait_ms = attemptedAtMs + distance_ms(rules, memory) - nowMs
  const waiting = { ...memory, attemptedAtMs }
  if (wait_ms > 0) return [{ _tag: "Wait", wait_ms, memory: waiting }, setBack ? waiting : undefined]
  return [
    { _tag: "Ask", previousMs: attemptedAtMs },
    { ...memory, attemptedAtMs: nowMs + inFlight_ms, askedBy, lost: (memory.lost ?? 0) + 1 }
  ]
}

/**
 * One secret that the broker issues to a key: in memory for the hot path, on disk for restarts and for the other
 * processes of the state folder. One request at a time over all of them: an attempt is written down before the broker
 * is asked, the rest see it, look for its result on disk, and may ask only `between_ms` after it, and later where no
 * answer could be read again and again. So a crash loop, many processes and a broken file ask no more often than one
 * process would. When the folder cannot be written, each start
 * counts as a request, since the run before may have made one that nobody knows of.
 */
export const makeCredential = Effect.fnUntraced(function* (
  account: KisAccount,
  stateDir: string,
  rules: IssueRules,
  obtain: Effect.Effect<Issued, KisError>
) {
  const { alias } = account
  const { kind, what } = rules
  const file = makeStateFile(stateDir, kind, account, Memory)
  const asking = yield* Semaphore.make(1)
  const changing = yield* Semaphore.make(1)
  const startedAtMs = yield* Clock.currentTimeMillis
  const called = what === "token" ? "access token" : what
  const askedBy = `process ${process.pid} on ${hostname()}`
  let memory: Memory | undefined
  let issues = 0
  let unwritable = false

  /** Changes the record on disk, or in memory alone when the disk does not take it; one after the other, the newest last. */
  const change = <B>(decide: (known: Memory | undefined, nowMs: number) => readonly [B, Memory | undefined]) =>
    file
      .change((found, nowMs) => {
        const known = memoryOf(found)
        const [answer, next = found._tag === "Broken" ? known : undefined] = decide(known, nowMs)
        return [{ answer, now: next ?? known }, next]
      })
      .pipe(
        Effect.tap(() => Effect.sync(() => void (unwritable = false))),
        Effect.catchTag("StateFileUnwritable", (error) =>
          Effect.gen(function* () {
            if (!unwritable) {
              yield* Effect.logWarning(`the ${what} cannot be remembered: every start will ask for another`, {
                account: alias,
                reason: error.message
              })
            }
            unwritable = true
            // The run before may have asked and not been able to say so.
            const known = { ...memory, attemptedAtMs: Math.max(memory?.attemptedAtMs ?? 0, startedAtMs) }
            const [answer, next] = decide(known, yield* Clock.currentTimeMillis)
            return { answer, now: next ?? known }
          })
        ),
        Effect.map(({ answer, now }) => {
          memory = now
          if (now?.secret !== undefined) keepIssued(`${kind} ${alias}`, now.secret)
          return answer
        }),
        changing.withPermits(1)
      )

  /** Waits for the next turn, and looks every second whether another process has what is wanted. */
  const wait = Effect.fnUntraced(function* ({ memory: seen, wait_ms }: Turn & { _tag: "Wait" }) {
    if (wait_ms > wait_ms_max) {
      const { lost = 0, refusals = 0 } = seen
      return yield* new KisIssueWithheld({ account: alias, what, refusals, lost, wait_ms })
    }
    const untilMs = (yield* Clock.currentTimeMillis) + wait_ms
    yield* Effect.logWarning(`waiting before asking for another ${called}`, {
      account: alias,
      wait_seconds: Math.ceil(wait_ms / 1_000),
      asked_last_by: seen.askedBy
    })
    for (let slept_ms = 0; slept_ms < wait_ms; slept_ms += poll_ms) {
      // A clock that is set back meanwhile does not lengthen the wait.
      const left_ms = Math.min(untilMs - (yield* Clock.currentTimeMillis), wait_ms - slept_ms)
      if (left_ms <= 0) return
      yield* Effect.sleep(Math.min(poll_ms, left_ms))
      const found = yield* file.read
      if (!unwritable && found._tag === "Known" && found.value.attemptedAtMs !== seen.attemptedAtMs) return
    }
  })

  const detail = `no answer in ${inFlight_ms / 1_000} s`
  const bounded = obtain.pipe(
    Effect.timeoutOrElse({
      duration: inFlight_ms,
      orElse: () => Effect.fail(new KisUnreachable({ operation: what, detail }))
    })
  )

  const issue = Effect.fnUntraced(function* (previousMs: number) {
    issues += 1
    const askedAtMs = yield* Clock.currentTimeMillis
    // What has been issued is remembered, though the program is told to end in the same moment.
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const result = yield* Effect.result(restore(bounded))
        if (Result.isFailure(result)) {
          // What never reached the broker was no issue, and need not be waited for; else it may have counted it as late as it answered.
          const { failure } = result
          yield* change((known, nowMs) => [
            undefined,
            {
              ...known,
              attemptedAtMs: isUnsent(failure) ? previousMs : nowMs,
              lost: Math.max(0, (known?.lost ?? 1) - (mayHaveIssued(failure) ? 0 : 1))
            }
          ])
          return yield* failure
        }
        const { life_ms, secret } = result.success
        yield* change((known, nowMs) => [
          undefined,
          {
            attemptedAtMs: nowMs,
            askedBy,
            secret,
            issuedAtMs: askedAtMs,
            endsAtMs: askedAtMs + life_ms,
            ...(known?.refusals === undefined ? {} : { refusals: known.refusals })
          }
        ])
        const valid_hours = Math.round(life_ms / 3_600_000)
        yield* Effect.logInfo(`a new ${called} was issued`, { account: alias, valid_hours })
        return secret
      })
    )
  })

  const ask = Effect.fnUntraced(function* (ahead_ms: number) {
    const givenUpAtMs = (yield* Clock.currentTimeMillis) + waiting_ms_max
    let tooSoon = 0
    while (true) {
      const turn = yield* change((known, nowMs) => takeTurn(known, nowMs, ahead_ms, rules, askedBy))
      if (turn._tag === "Held") return turn.secret
      if (turn._tag === "Wait") {
        if ((yield* Clock.currentTimeMillis) > givenUpAtMs) {
          const { askedBy: other } = turn.memory
          return yield* new KisTokenTooSoon({ operation: what, ...(other === undefined ? {} : { askedBy: other }) })
        }
        yield* wait(turn)
        continue
      }
      const result = yield* Effect.result(issue(turn.previousMs))
      if (Result.isSuccess(result)) return result.success
      tooSoon += 1
      if (result.failure._tag !== "KisTokenTooSoon" || tooSoon > tooSoon_max) return yield* result.failure
    }
  })

  // At a server started for this run earlier requests do not count.
  yield* change((known) => [
    undefined,
    known !== undefined && account.endpoints.startedForUs === true
      ? { ...known, attemptedAtMs: 0, refusals: 0, lost: 0 }
      : undefined
  ])

  return {
    current: (ahead_ms) =>
      Effect.gen(function* () {
        const secret = usable(memory, yield* Clock.currentTimeMillis, ahead_ms)
        // Whoever waits here finds on disk what the one before brought.
        return secret ?? (yield* asking.withPermits(1)(ask(ahead_ms)))
      }),
    drop: (secret) =>
      change((known, nowMs) => {
        if (known?.secret === undefined || Redacted.value(known.secret) !== Redacted.value(secret)) {
          return [undefined, undefined]
        }
        const { askedBy: by, attemptedAtMs, issuedAtMs = 0, refusals = 0 } = known
        return [
          undefined,
          {
            attemptedAtMs,
            ...(by === undefined ? {} : { askedBy: by }),
            refusals: nowMs - issuedAtMs < soon_ms ? refusals + 1 : 1
          }
        ]
      }),
    held: Effect.sync(() => {
      const { endsAtMs, issuedAtMs, secret } = memory ?? {}
      return secret === undefined || issuedAtMs === undefined || endsAtMs === undefined
        ? undefined
        : { secret, issuedAtMs, endsAtMs }
    }),
    issues: () => issues
  } satisfies Credential
})

/** What lies on disk of a key's secret, without the secret. */
export interface CredentialTrace {
  readonly file: string
  /** UTC milliseconds; absent while no secret is held, or the file cannot be read. */
  readonly issuedAtMs?: number
  readonly endsAtMs?: number
  /** Issues in a row that the broker did not accept soon after it had made them. */
  readonly refusals: number
  readonly readable: boolean
}

/** Looks at what is kept of a kind of secret; asks nobody for anything and changes nothing. `undefined`: there is nothing yet. */
export const traceCredential = Effect.fnUntraced(function* (
  account: KisAccount,
  stateDir: string,
  { kind }: Pick<IssueRules, "kind">
): Effect.fn.Return<CredentialTrace | undefined> {
  const state = makeStateFile(stateDir, kind, account, Memory)
  const file = yield* state.path
  const found = yield* state.read
  if (file === undefined || found._tag === "Nothing") return undefined
  if (found._tag === "Broken") return { file, refusals: 0, readable: false }
  const { endsAtMs, issuedAtMs, refusals = 0, secret } = found.value
  return {
    file,
    ...(secret === undefined || issuedAtMs === undefined || endsAtMs === undefined ? {} : { issuedAtMs, endsAtMs }),
    refusals,
    readable: true
  }
})
