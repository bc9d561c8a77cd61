import { Schema } from "effect"
import { verdicts } from "../../ops/certificate/Certificate.ts"
import { SymbolCode } from "../../domain/SymbolCode.ts"

const { Array: List, Boolean, Finite, Int, Literals, optionalKey, String: Text, Struct } = Schema

/** A number that JSON has no word for, such as the age of what was never seen, is left out. */
const perhaps = optionalKey(Finite)

/** Codes in one change; the whole market has some four thousand. */
export const changedSymbols_max = 5_000
/** Symbols of one page. */
export const pageSymbols_max = 1_000
const pageSymbols = 100

export const ActorState = Schema.Union([
  Schema.TaggedStruct("starting", {}),
  Schema.TaggedStruct("running", {}),
  Schema.TaggedStruct("backingOff", { attempt: Int, untilMs: Finite }),
  Schema.TaggedStruct("parked", { cause: Text, untilMs: Finite }),
  Schema.TaggedStruct("stopped", {})
])

export const Actors = Struct({
  actors: List(
    Struct({
      name: Text,
      state: ActorState,
      sinceMs: Finite,
      restarts: Int,
      lastError: optionalKey(Text),
      mailboxDepth: optionalKey(Int),
      mailboxCapacity: optionalKey(Int),
      mailboxHighWater: optionalKey(Int),
      mailboxDropped: optionalKey(Int)
    })
  )
}).annotate({ identifier: "Actors" })

export const SymbolOut = Struct({
  symbol: Text,
  name: optionalKey(Text),
  class: Text,
  coverage: Literals(["stream+sweep", "sweep", "none"]),
  account: optionalKey(Text),
  target_seconds: perhaps,
  expected_seconds: perhaps,
  staleness_seconds: perhaps,
  lastSeenAt: optionalKey(Text),
  late: Struct({ times: Int, worst_seconds: Finite }),
  reason: optionalKey(Text)
}).annotate({ identifier: "SymbolCoverage" })

export const SymbolPage = Struct({
  /** Symbols that the question fits, on all pages. */
  total: Int,
  symbols: List(SymbolOut),
  /** What to ask for next: `?after=` this; absent on the last page. */
  next: optionalKey(Text)
}).annotate({ identifier: "SymbolPage" })

const isBetween = (minimum: number, maximum: number) => Schema.isBetween({ minimum, maximum })

export const SymbolQuery = Struct({
  stale: optionalKey(Literals(["true", "false"])),
  after: optionalKey(SymbolCode),
  limit: optionalKey(Schema.FiniteFromString.check(Schema.isInt(), isBetween(1, pageSymbols_max)))
})
export const limitOf = (limit: number | undefined): number => limit ?? pageSymbols

const Codes = optionalKey(List(SymbolCode).check(Schema.isMaxLength(changedSymbols_max)))

export const Change = Struct({ add: Codes, remove: Codes })
  .check(
    Schema.makeFilter(({ add = [], remove = [] }) => {
      if (add.length + remove.length === 0) return "nothing is to be added or removed"
      const removed = new Set<string>(remove)
      const both = add.find((code) => removed.has(code))
      return both === undefined ? undefined : `${both} cannot be both added and removed`
    })
  )
  .annotate({ identifier: "SymbolChange" })

export const Changed = Struct({ added: List(Text), removed: List(Text), unchanged: List(Text) }).annotate({
  identifier: "ChangeReport"
})

export const Plan = Struct({
  madeAt: Text,
  reason: Text,
  symbols: Int,
  streamed: Int,
  callsPerSecond: Finite,
  callsPerSweep: Int,
  classes: List(
    Struct({
      class: Text,
      symbols: Int,
      target_seconds: perhaps,
      expected_seconds: perhaps,
      measured: optionalKey(Struct({ median_seconds: Finite, p99_seconds: Finite, max_seconds: Finite })),
      outside: Int,
      met: Boolean
    })
  ),
  accounts: List(
    Struct({
      alias: Text,
      state: Literals(["ok", "down"]),
      reason: optionalKey(Text),
      callsPerSecond: Finite,
      slots: Int,
      streamed: List(Text)
    })
  ),
  unmet: List(Struct({ class: Text, target_seconds: perhaps, expected_seconds: perhaps, needs: Text })),
  notCovered: List(Text)
}).annotate({ identifier: "PlanReport" })

/** `YYYY-MM-DD`, a day of the market. */
export const MarketDay = Text.check(Schema.isPattern(/^\d{4}-\d{2}-\d{2}$/u))

export const CertifiedDays = Struct({
  certificates: List(Struct({ day: Text, verdict: Literals(verdicts), madeAt: Text }))
}).annotate({ identifier: "CertifiedDays" })

/** The request is not one of this API's: a parameter, a key or a code is wrong. */
export class BadRequest extends Schema.TaggedError<BadRequest>()(
  "BadRequest",
  { error: Text, problems: List(Text) },
  { httpApiStatus: 400 }
) {}

/** The change was understood and is not made, not even in part. */
export class ChangeRefused extends Schema.TaggedError<ChangeRefused>()(
  "ChangeRefused",
  { error: Text, problems: List(Struct({ symbol: optionalKey(Text), problem: Text })) },
  { httpApiStatus: 400 }
) {}

/** Nothing stood against the change, and it could not be made: asked for again, it may be. */
export class ChangeFailed extends Schema.TaggedError<ChangeFailed>()(
  "ChangeFailed",
  { error: Text },
  { httpApiStatus: 500 }
) {}

export class SymbolNotObserved extends Schema.TaggedError<SymbolNotObserved>()(
  "SymbolNotObserved",
  { error: Text, symbol: Text },
  { httpApiStatus: 404 }
) {}

export class DayNotCertified extends Schema.TaggedError<DayNotCertified>()(
  "DayNotCertified",
  { error: Text, day: Text },
  { httpApiStatus: 404 }
) {}

/** No answer in time; the observer goes on, and so may the change. */
export class Late extends Schema.TaggedError<Late>()("Late", { error: Text }, { httpApiStatus: 503 }) {}
