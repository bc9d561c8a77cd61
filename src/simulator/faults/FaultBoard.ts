import { marketDate, marketInstant } from "../../calendar/MarketTime.ts"
import { ownerOf } from "../desk/approvalKey.ts"
import { type SeededRandom, seededRandom } from "../market/SeededRandom.ts"
import type { Fault } from "./Fault.ts"
import { type FaultName, kindOf } from "./faultKinds.ts"

/** What a fault may strike, as far as its selectors ask. */
export interface Subject {
  readonly path?: string
  readonly tr?: string
  /** The mark of the app key. */
  readonly owner?: string | undefined
  readonly symbols?: ReadonlyArray<string>
}

/** The two clocks a fault may be written in, UTC milliseconds each. */
export interface Now {
  readonly realMs: number
  readonly marketMs: number
}

export type FaultPhase = "waiting" | "active" | "over"

/** A fault on the board. */
export interface PostedFault {
  readonly id: number
  readonly fault: Fault
  /** On the clock that `from` is written in. */
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly strikesMax: number
  /** How often it found something to strike, and how often it struck. */
  chances: number
  strikes: number
  stopped: boolean
}

const faultLane = 1_000

const inMarketTime = (fault: Fault): boolean => typeof fault.from === "string"

const startOf = ({ from }: Fault, now: Now): number => {
  if (from === undefined) return now.realMs
  if (typeof from === "number") return now.realMs + from * 1_000
  const date = from.includes("T") ? from.slice(0, 10).replaceAll("-", "") : marketDate(now.marketMs)
  return marketInstant(date, from.slice(-8).replaceAll(":", "")) ?? Number.POSITIVE_INFINITY
}

const strikesMaxOf = ({ count, fault, for: seconds, rate }: Fault): number => {
  if (count !== undefined) return count
  return kindOf(fault).once && seconds === undefined && rate === undefined ? 1 : Number.POSITIVE_INFINITY
}

const fits = ({ where = {} }: Fault, subject: Subject): boolean => {
  const { key, path, symbol, tr } = where
  if (path !== undefined && !subject.path?.startsWith(path)) return false
  if (tr !== undefined && subject.tr !== tr) return false
  if (key !== undefined && subject.owner !== key && subject.owner !== ownerOf(key)) return false
  if (symbol === undefined) return true
  const wanted = typeof symbol === "string" ? [symbol] : symbol
  return subject.symbols?.some((each) => wanted.includes(each)) ?? false
}

/** The board holds so many; the oldest that are over make room. */
const postedMax = 1_000

/**
 * Which faults are to come, at work and over, and whether one strikes now. Each fault draws from a random sequence of
 * its own, only when it has something to strike: the same script, seed and order of events give the same strikes.
 */
export const makeFaultBoard = (seed: number) => {
  const posted: Array<PostedFault> = []
  const randoms = new Map<number, SeededRandom>()
  let ids = 0

  const phaseOf = (each: PostedFault, now: Now): FaultPhase => {
    const atMs = inMarketTime(each.fault) ? now.marketMs : now.realMs
    if (each.stopped || each.strikes >= each.strikesMax || atMs >= each.endsAtMs) return "over"
    return atMs < each.startsAtMs ? "waiting" : "active"
  }

  const remove = (each: PostedFault) => {
    posted.splice(posted.indexOf(each), 1)
    randoms.delete(each.id)
  }

  const strikes = (each: PostedFault, subject: Subject, now: Now): boolean => {
    if (phaseOf(each, now) !== "active" || !fits(each.fault, subject)) return false
    each.chances += 1
    const { rate } = each.fault
    const draw = rate === undefined ? 0 : (randoms.get(each.id)?.next() ?? 0)
    if (rate !== undefined && draw >= rate) return false
    each.strikes += 1
    return true
  }

  return {
    /** Puts a fault up; `undefined` when the board is full of faults that are not over. */
    post: (fault: Fault, now: Now): PostedFault | undefined => {
      if (posted.length >= postedMax) {
        const over = posted.find((each) => phaseOf(each, now) === "over")
        if (over === undefined) return undefined
        remove(over)
      }
      const startsAtMs = startOf(fault, now)
      const endsAtMs = fault.for === undefined ? Number.POSITIVE_INFINITY : startsAtMs + fault.for * 1_000
      const id = ++ids
      const added = {
        id,
        fault,
        startsAtMs,
        endsAtMs,
        strikesMax: strikesMaxOf(fault),
        chances: 0,
        strikes: 0,
        stopped: false
      }
      posted.push(added)
      randoms.set(id, seededRandom(seed, faultLane + id))
      return added
    },
    /** Ends a fault for good; `undefined` when there is none with this id. */
    stop: (id: number): PostedFault | undefined => {
      const found = posted.find((each) => each.id === id)
      if (found !== undefined) found.stopped = true
      return found
    },
    list: (): ReadonlyArray<PostedFault> => posted,
    phaseOf,
    /** The first of these faults, in the order of posting, that strikes the subject now. */
    first: (names: ReadonlyArray<FaultName>, subject: Subject, now: Now): PostedFault | undefined =>
      posted.find((each) => names.includes(each.fault.fault) && strikes(each, subject, now)),
    /** All of these faults that strike the subject now. */
    all: (names: ReadonlyArray<FaultName>, subject: Subject, now: Now): ReadonlyArray<PostedFault> =>
      posted.filter((each) => names.includes(each.fault.fault) && strikes(each, subject, now))
  }
}

export type FaultBoard = ReturnType<typeof makeFaultBoard>
