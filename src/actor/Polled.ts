import { Clock, Deferred, Effect, Exit, Scope } from "effect"

export interface PolledOptions<A, E, R> {
  /** May never come back, as a call to a file system that hangs. */
  readonly ask: Effect.Effect<A, E, R>
  /** Shown while there was no answer yet. */
  readonly initial: A
  /** An answer so old is asked for anew. */
  readonly fresh_ms: number
  /** So long an answer is waited for; then the one before is shown. */
  readonly patience_ms: number
}

/** The newest answer to a question that is asked again and again. */
export interface Polled<A> {
  readonly newest: Effect.Effect<A>
  /** What was answered, or is on its way, is old from now on. */
  readonly outdate: Effect.Effect<void>
}

interface Asking {
  readonly sinceMs: number
  readonly answered: Deferred.Deferred<void>
}

/**
 * Asks only once the last question was answered, whoever wants to know: a question that hangs keeps one thread of the
 * process, not one more with each asker. Who comes meanwhile waits no longer than who asked, and is shown the answer before.
 * An answer that comes late is taken; a question that fails leaves the answer before.
 */
export const makePolled = Effect.fnUntraced(function* <A, E, R>(options: PolledOptions<A, E, R>) {
  const { ask, fresh_ms, initial, patience_ms } = options
  const scope = yield* Scope.Scope
  const services = yield* Effect.context<R>()
  let answer = initial
  let askedAtMs: number | undefined
  let asking: Asking | undefined
  let outdated = 0

  const question = Effect.fnUntraced(function* ({ answered, sinceMs }: Asking) {
    const before = outdated
    const exit = yield* Effect.exit(ask)
    if (Exit.isSuccess(exit)) answer = exit.value
    askedAtMs = before === outdated ? sinceMs : undefined
    asking = undefined
    yield* Deferred.succeed(answered, undefined)
  }, Effect.provideContext(services))

  const newest = Effect.gen(function* () {
    const nowMs = yield* Clock.currentTimeMillis
    const isFresh = askedAtMs !== undefined && nowMs >= askedAtMs && nowMs - askedAtMs < fresh_ms
    if (asking === undefined && isFresh) return answer
    if (asking === undefined) {
      asking = { sinceMs: nowMs, answered: Deferred.makeUnsafe() }
      yield* Effect.forkIn(question(asking), scope)
    }
    if (asking === undefined) return answer
    const left_ms = patience_ms - (nowMs - asking.sinceMs)
    if (left_ms > 0) yield* Effect.timeoutOption(Deferred.await(asking.answered), left_ms)
    return answer
  })

  const outdate = Effect.sync(() => {
    outdated += 1
    askedAtMs = undefined
  })
  return { newest, outdate } satisfies Polled<A>
})
