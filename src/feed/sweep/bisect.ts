import { Effect } from "effect"

/** So many symbols that fail one by one while none is answered: the trouble is not theirs. */
const failures_max = 5

/** What a call for many becomes when it is asked in parts. */
export interface Bisected<A> {
  readonly answers: ReadonlyArray<A>
  /** Symbols with which a call fails and without which it does not. */
  readonly sick: ReadonlyArray<string>
}

/**
 * Asks for a batch that failed in halves, and halves of halves, until those are found that fail alone: a sick symbol must
 * not cost the others their answer. Fails with the last error when nobody is answered: then no symbol is to blame.
 */
export const bisect = Effect.fnUntraced(function* <A, E, R>(
  batch: ReadonlyArray<string>,
  ask: (part: ReadonlyArray<string>) => Effect.Effect<A, E, R>
) {
  const answers: Array<A> = []
  const sick: Array<string> = []
  const open: Array<ReadonlyArray<string>> = halvesOf(batch)
  while (true) {
    const part = open.pop()
    if (part === undefined) break
    const exit = yield* Effect.result(ask(part))
    if (exit._tag === "Success") {
      answers.push(exit.success)
      continue
    }
    if (part.length > 1) open.push(...halvesOf(part))
    else sick.push(...part)
    if (answers.length === 0 && (sick.length >= failures_max || open.length === 0)) {
      return yield* Effect.fail(exit.failure)
    }
  }
  return { answers, sick } satisfies Bisected<A>
})

const halvesOf = (batch: ReadonlyArray<string>): Array<ReadonlyArray<string>> => {
  const middle = Math.ceil(batch.length / 2)
  return [batch.slice(middle), batch.slice(0, middle)].filter((part) => part.length > 0)
}
