import { Context, Data, Effect, Layer, Schedule } from "effect"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { marketNow } from "../calendar/MarketClock.ts"
import { compressFile } from "./compressor/compressFile.ts"
import { type Due, nextDue } from "./compressor/nextDue.ts"
import type { Disk } from "./Disk.ts"
import { Journal } from "./Journal.ts"
import { daysOf } from "./SegmentName.ts"

export interface CompressorOptions {
  readonly dataDir: string
  /** How long, in market time, a file has been sealed before it is compressed. */
  readonly after_minutes: number
}

/** The disk refuses the record itself; what room there is belongs to it. */
class JournalWaits extends Data.TaggedError("JournalWaits")<{ readonly message: string }> {}

/** Between two looks when nothing is due, unless the journal begins a file. */
const look_seconds = 60
/** After a refusal: from five seconds to five minutes. */
const backOff = Schedule.min([Schedule.exponential("5 seconds"), Schedule.spaced("5 minutes")]).pipe(Schedule.jittered)

/**
 * Compresses sealed files, one at a time, the oldest first, beside everything else. It makes the new file and reads it
 * back; the journal's writer, which alone owns the lists of a day, then enters it and removes the plain one. A crash at any
 * point leaves at least one whole form of the file that the lists name, and what it left undone is done again. While the
 * disk refuses, the draft is removed, so that the record gets the room, and it waits.
 */
export class Compressor extends Context.Service<Compressor, { readonly start: Effect.Effect<void> }>()(
  "observer/journal/Compressor"
) {
  static readonly layerOff = Layer.succeed(Compressor, { start: Effect.void })
  static readonly layer = (options: CompressorOptions) =>
    Layer.effect(
      Compressor,
      Effect.gen(function* () {
        const supervisor = yield* Supervisor
        const run = Effect.provideContext(makeRun(options), yield* Effect.context<Disk | Journal>())
        return { start: supervisor.start({ name: "compressor", kind: "permanent", policy: patient, run }) }
      })
    )
}

const makeRun = ({ after_minutes, dataDir }: CompressorOptions) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const damaged = new Set<string>()
    let fromDay = ""
    let refusal: string | undefined

    const compress = Effect.fnUntraced(
      function* ({ day, line }: Due) {
        yield* journal.enterCompressed(day, line, yield* compressFile(dataDir, day, line))
        if (refusal !== undefined) yield* Effect.logInfo("sealed files are compressed again")
        refusal = undefined
      },
      (effect, { day, line }) =>
        Effect.catchTag(effect, "FileDamaged", (error) => {
          damaged.add(`${day}/${line.file}`)
          return Effect.logError(error.message)
        })
    )

    const journalWaits = Effect.gen(function* () {
      const { reason, writable } = yield* journal.status
      if (!writable) return yield* new JournalWaits({ message: reason ?? "the journal waits" })
    })

    /** Returns when there may be something to do again. */
    const rest = Effect.gen(function* () {
      const { file } = yield* journal.head
      const isSame = Effect.map(journal.head, (head) => head.file === file)
      yield* Effect.repeat(Effect.sleep("1 second"), { times: look_seconds - 1, while: () => isSame })
    })

    const step = Effect.gen(function* () {
      yield* journalWaits
      const { file } = yield* journal.head
      // The day being written is never done, wherever on the calendar a clock that was set back has put it.
      const notAfterHead = (day: string) => [day, ...daysOf(file)].sort()[0] ?? ""
      const found = yield* nextDue({
        dataDir,
        fromDay: notAfterHead(fromDay),
        nowMs: yield* marketNow,
        after_ms: after_minutes * 60_000,
        except: damaged
      })
      fromDay = notAfterHead(found.fromDay)
      if (found.due === undefined) return yield* rest
      const watch = Effect.repeat(journalWaits, Schedule.spaced("1 second"))
      yield* Effect.raceFirst(compress(found.due), watch)
    })

    const refused = Effect.fnUntraced(function* ({ message }: { readonly message: string }) {
      if (refusal === message) return
      refusal = message
      yield* Effect.logWarning("sealed files are not compressed for now; it is tried again", { reason: message })
    })

    return yield* step.pipe(Effect.tapError(refused), Effect.retry(backOff), Effect.orDie, Effect.forever)
  })
