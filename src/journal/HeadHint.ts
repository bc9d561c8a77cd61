import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { Disk } from "./Disk.ts"
import { listDays } from "./Segments.ts"
import { readWhole, replaceWhole } from "./wholeFile.ts"

/** What of the record an end of the last run may have cost, and why. */
export const Loss = Schema.Struct({
  /** A killed process loses nothing it has answered for; a machine that was cut off loses what was not synced. */
  cause: Schema.Literals(["kill", "powerCut", "unknown"]),
  /** Records of at most so many milliseconds before the end are gone. */
  ms_max: Schema.Finite
})
export type Loss = typeof Loss.Type

/**
 * Says where the newest files of a node are, so that a start need not look for them in every folder, and which run of
 * the machine wrote them. It is on disk before the file it tells of is begun.
 */
export const HeadHint = Schema.Struct({
  v: Schema.Literal(1),
  /** The first `seq` of the newest file, begun or about to be. */
  firstSeq: Schema.Int,
  /** `YYYY/MM/DD`: the day of that file, and of the one before it. */
  days: Schema.Array(Schema.String),
  /** Every day that had a folder: a day beyond them was put there by somebody else. */
  known: Schema.Array(Schema.String),
  /** The number of the folder's lock under which this was written: another run's shows that somebody came between. */
  lock: Schema.optionalKey(Schema.Int),
  boot: Schema.optionalKey(Schema.String),
  fsync_ms: Schema.Finite,
  /** What the run before may have lost, until the record says so. */
  untold: Schema.optionalKey(Loss)
})
export type HeadHint = typeof HeadHint.Type

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(HeadHint))

const nameOf = (node: string) => `.head-${node}`

/** The hint of a node; `undefined` when there is none that can be read. */
export const readHint = Effect.fnUntraced(function* (dataDir: string, node: string) {
  const decoded = decode((yield* readWhole(join(dataDir, nameOf(node)))) ?? "")
  return Result.isSuccess(decoded) ? decoded.success : undefined
})

const onwardOf = (node: string) => `.next-${node}`
const isDay = /^\d{4}\/\d{2}\/\d{2}$/

/**
 * Where the writer went from a day to one that was there already, as only a clock that is set does: the days that a hint
 * leads to, and those that these lead to. So a hint that has been put back leads to what was written after it, too.
 */
export const daysOnward = Effect.fnUntraced(function* (dataDir: string, node: string, days: ReadonlyArray<string>) {
  const found = new Set(days)
  for (const day of found) {
    const next = (yield* readWhole(join(dataDir, day, onwardOf(node))))?.trim() ?? ""
    if (isDay.test(next)) found.add(next)
  }
  return found
})

/** What of a hint does not change while the process runs. */
export type HintBasis = Pick<HeadHint, "fsync_ms"> & {
  readonly lock: number | undefined
  readonly boot: string | undefined
}

/** Keeps the hint of one node. Owned by the journal's writer. */
export class HintKeeper {
  private readonly dataDir: string
  private readonly node: string
  private readonly basis: HintBasis
  private readonly known: Set<string>
  private untold: { readonly loss: Loss; readonly firstSeq: number } | undefined

  private constructor(dataDir: string, node: string, basis: HintBasis, known: Iterable<string>) {
    this.dataDir = dataDir
    this.node = node
    this.basis = basis
    this.known = new Set(known)
  }

  /** For a journal that goes on with `firstSeq`; a loss is kept until a file later than the one of that `seq` is begun. */
  static make = Effect.fnUntraced(function* (
    dataDir: string,
    node: string,
    basis: HintBasis,
    untold: { readonly loss: Loss | undefined; readonly firstSeq: number }
  ) {
    const keeper = new HintKeeper(dataDir, node, basis, yield* listDays(dataDir))
    if (untold.loss !== undefined) keeper.untold = { loss: untold.loss, firstSeq: untold.firstSeq }
    return keeper
  })

  /** Makes durable that a file beginning with `firstSeq` is the newest one, and in which days it and the one before lie. */
  point = Effect.fnUntraced(
    { self: this },
    function* (this: HintKeeper, firstSeq: number, days: ReadonlyArray<string>) {
      const [day, before] = days
      if (day !== undefined && before !== undefined && day !== before && this.known.has(day)) {
        yield* this.leadOn(before, day)
      }
      for (const each of days) this.known.add(each)
      const { boot, fsync_ms, lock } = this.basis
      const hint: HeadHint = {
        v: 1,
        firstSeq,
        days: [...new Set(days)],
        known: [...this.known].sort(),
        ...(lock === undefined ? {} : { lock }),
        ...(boot === undefined ? {} : { boot }),
        fsync_ms,
        ...(this.untold?.firstSeq === firstSeq ? { untold: this.untold.loss } : {})
      }
      yield* replaceWhole(this.dataDir, nameOf(this.node), Buffer.from(`${JSON.stringify(hint)}\n`))
    }
  )

  private leadOn = Effect.fnUntraced({ self: this }, function* (this: HintKeeper, from: string, to: string) {
    const disk = yield* Disk
    const folder = join(this.dataDir, from)
    // A day that somebody has removed holds nothing that could be found without it.
    if ((yield* disk.list(folder)).length > 0) yield* replaceWhole(folder, onwardOf(this.node), Buffer.from(`${to}\n`))
  })
}
