import { Effect } from "effect"

/**
 * Asks for a batch whose call failed in halves, and halves of halves, until those are found that fail alone: a sick symbol
 * must not cost the others their answer. Gives the sick ones. Fails with an error that is not about symbols (`isOfOne`), and
 * blames nobody then. Whether the account is answered at all is for the caller to know before.
 */
export const bisect = Effect.fnUntraced(function* <E, R>(
  batch: ReadonlyArray<string>,
  ask: (part: ReadonlyArray<string>) => Effect.Effect<void, E, R>,
  isOfOne: (error: E) => boolean
) {
  const sick: Array<string> = []
  const open: Array<ReadonlyArray<string>> = halvesOf(batch)
  while (true) {
    const part = open.pop()
    if (part === undefined) return sick
    const result = yield* Effect.result(ask(part))
    if (result._tag === "Success") continue
    if (!isOfOne(result.failure)) return yield* Effect.fail(result.failure)
    if (part.length > 1) open.push(...halvesOf(part))
    else sick.push(...part)
  }
})

/** The second half first, for the first is taken from the end. A batch of one is its own half. */
const halvesOf = (batch: ReadonlyArray<string>): Array<ReadonlyArray<string>> => {
  const middle = Math.ceil(batch.length / 2)
  return [batch.slice(middle), batch.slice(0, middle)].filter((part) => part.length > 0)
}
