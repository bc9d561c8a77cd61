import { Clock, Context, Effect, Layer, Result } from "effect"
import { Options } from "./ExchangeOptions.ts"
import type { Fault } from "./faults/Fault.ts"
import { type FaultBoard, type FaultPhase, makeFaultBoard, type Now, type PostedFault } from "./faults/FaultBoard.ts"
import { faultKinds } from "./faults/faultKinds.ts"
import { Ledger } from "./Ledger.ts"
import { Market } from "./Market.ts"

/** A fault as the control API shows it. */
export interface FaultView {
  readonly id: number
  readonly fault: Fault
  readonly phase: FaultPhase
  /** How often it found something to strike, and how often it struck. */
  readonly chances: number
  readonly strikes: number
}

/** A burst that was not told how long. */
const burst_seconds = 10

/**
 * The faults of this exchange: those of its script from the start, and those put up while it runs. It only says what
 * strikes; the parts that answer and send do what it says.
 */
export class Faults extends Context.Service<
  Faults,
  {
    readonly board: FaultBoard
    readonly now: () => Now
    /** Puts a fault up; fails with the reason when there is no room. */
    post(fault: Fault): Result.Result<FaultView, string>
    /** Ends a fault; `undefined` when there is none with this id. */
    stop(id: number): FaultView | undefined
    readonly list: () => ReadonlyArray<FaultView>
  }
>()("observer/simulator/Faults") {
  static readonly layer = Layer.effect(
    Faults,
    Effect.gen(function* () {
      const { faults: script, seed } = yield* Options
      const clock = yield* Clock.Clock
      const ledger = yield* Ledger
      const { control, listen, view } = yield* Market
      const board = makeFaultBoard(seed)
      const now = (): Now => ({ realMs: clock.currentTimeMillisUnsafe(), marketMs: view.nowMs() })

      const viewOf = (posted: PostedFault): FaultView => {
        const { chances, fault, id, strikes } = posted
        return { id, fault, phase: board.phaseOf(posted, now()), chances, strikes }
      }
      const post = (fault: Fault): Result.Result<FaultView, string> => {
        const posted = board.post(fault, now())
        if (posted === undefined) return Result.fail("the board is full of faults that are not over; stop some")
        ledger.note({ kind: "control", action: "startFault", given: { id: posted.id, ...redacted(fault) } })
        return Result.succeed(viewOf(posted))
      }
      for (const fault of script) post(fault)

      listen({
        onStepEnd: () => {
          if (board.list().length === 0) return
          const struck = board.first(["burst"], {}, now())
          if (struck === undefined) return
          const { factor = faultKinds.burst.settings.factor, for: seconds = burst_seconds } = struck.fault
          control.burst(factor, seconds)
        }
      })

      return Faults.of({
        board,
        now,
        post,
        stop: (id) => {
          const stopped = board.stop(id)
          if (stopped === undefined) return undefined
          ledger.note({ kind: "control", action: "stopFault", given: { id } })
          return viewOf(stopped)
        },
        list: () => board.list().map(viewOf)
      })
    })
  )
}

/** An app key in a selector may be the key itself, which the ledger must not hold. */
const redacted = ({ where, ...fault }: Fault): object => ({
  ...fault,
  ...(where && { where: { ...where, ...(where.key !== undefined && { key: "(given)" }) } })
})
