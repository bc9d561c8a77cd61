import { Deferred, Effect } from "effect"
import { Mailbox } from "../../actor/Mailbox.ts"
import type { ChildSpec } from "../../actor/Supervisor.ts"
import type { SymbolChange } from "../Coverage.ts"
import { UniverseEnding } from "../UniverseEnding.ts"

/** Changes come from people; who finds so many waiting waits, too. */
const mailbox_changes = 16

/** The actor that makes changes; its name is its owner's to give. */
export type Changer = Required<Pick<ChildSpec<never, never>, "mailbox" | "run" | "drain">>

/**
 * Has changes made by an actor of their own, one after another: one that waits for a journal that cannot write is not to
 * hold whoever asked for it. Who stops waiting leaves the change behind: it is made all the same.
 */
export const makeChanger = Effect.fnUntraced(function* <A, E>(
  actor: string,
  make: (codes: SymbolChange) => Effect.Effect<A, E>
) {
  const mailbox = yield* Mailbox.make<{ readonly codes: SymbolChange; readonly made: Deferred.Deferred<A, E> }>({
    actor,
    capacity: mailbox_changes
  })
  const changer: Changer = {
    mailbox,
    run: mailbox.consume({
      // What is refused is an answer; a crash is the supervisor's, and the change is tried again.
      handle: (asked) =>
        Effect.forEach(
          asked,
          ({ codes, made }) =>
            Effect.matchEffect(make(codes), {
              onFailure: (error) => Deferred.fail(made, error),
              onSuccess: (value) => Deferred.succeed(made, value)
            }),
          { discard: true }
        ),
      onPoison: ({ made }) =>
        Effect.asVoid(Deferred.die(made, new Error("the change crashed its actor again and again")))
    }),
    drain: mailbox.end
  }
  const change = Effect.fnUntraced(function* (codes: SymbolChange): Effect.fn.Return<A, E | UniverseEnding> {
    const made = Deferred.makeUnsafe<A, E>()
    if (!(yield* mailbox.offer({ codes, made }))) return yield* new UniverseEnding()
    return yield* Deferred.await(made)
  })
  return { change, changer }
})
