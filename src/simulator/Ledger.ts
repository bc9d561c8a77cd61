import { Clock, Context, Effect, Layer, Schedule } from "effect"
import { ExchangeFailed } from "./ExchangeFailed.ts"
import { Options } from "./ExchangeOptions.ts"
import {
  addTo,
  type EdgeEntry,
  type LedgerEntry,
  type LedgerLine,
  type LedgerTotals,
  noTotals
} from "./ledger/LedgerEntry.ts"
import { openLedgerFile } from "./ledger/LedgerFile.ts"

/** Lines kept in memory for whoever asks what just happened. */
export const tailLines_max = 1_000

export interface LedgerReport extends LedgerTotals {
  readonly lines: number
  /** Where the lines go; absent without `--ledger`. */
  readonly file?: string
  /** Why the file has ended early. */
  readonly failed?: string
}

/**
 * What the exchange has put on the wire, in order: every record and every call, answered or refused. It is what a client
 * is measured by, so nothing is left out of it, and no app key, token or approval key is ever in it.
 */
export class Ledger extends Context.Service<
  Ledger,
  {
    /** Notes one thing as done now. Never waits. */
    note(entry: LedgerEntry): void
    readonly report: () => LedgerReport
    /** The newest lines, the oldest of them first. */
    tail(count: number): ReadonlyArray<LedgerLine>
    /** Whether lines are written to a file: only then need an entry hold what is costly to find out. */
    readonly writes: boolean
  }
>()("observer/simulator/Ledger") {
  /** Its file is written at least each second, and to its end when the layer's scope closes. */
  static readonly layer = Layer.effect(
    Ledger,
    Effect.gen(function* () {
      const { env, ledgerDir, seed } = yield* Options
      const clock = yield* Clock.Clock
      const totals = noTotals()
      const tail: Array<LedgerLine> = []
      let lines = 0
      const now = () => new Date(clock.currentTimeMillisUnsafe()).toISOString()

      const file =
        ledgerDir === undefined ? undefined : yield* open(ledgerDir, `ledger-${now().replace(/[-:.]/g, "")}.jsonl`)
      const write = (entry: LedgerEntry | EdgeEntry) => {
        lines += 1
        const line = { n: lines, at: now(), ...entry }
        tail[(lines - 1) % tailLines_max] = line
        file?.append(JSON.stringify(line))
      }
      write({ kind: "open", v: 1, env, seed })

      if (file !== undefined) {
        let said = false
        const flush = Effect.suspend(() => {
          file.flush()
          const failed = file.failed()
          if (failed === undefined || said) return Effect.void
          said = true
          return Effect.logError("the ledger has ended: its file cannot be written; the exchange goes on", { failed })
        })
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            write({ kind: "close", totals })
            file.close()
          })
        )
        yield* flush.pipe(Effect.repeat(Schedule.fixed("1 second")), Effect.forkScoped)
      }

      return Ledger.of({
        writes: file !== undefined,
        note: (entry) => {
          addTo(totals, entry)
          write(entry)
        },
        report: () => {
          const failed = file?.failed()
          return { lines, ...totals, ...(file && { file: file.path }), ...(failed === undefined ? {} : { failed }) }
        },
        tail: (count) => {
          const start = lines % tailLines_max
          return [...tail.slice(start), ...tail.slice(0, start)].slice(-count)
        }
      })
    })
  )
}

const open = (folder: string, name: string) =>
  Effect.try({
    try: () => openLedgerFile(folder, name),
    catch: (cause) =>
      new ExchangeFailed({
        detail: `the ledger cannot be written in ${folder} (${cause instanceof Error ? cause.message : String(cause)})`,
        cause
      })
  })
