import { nxtHours, type NxtPart } from "../../calendar/NxtHours.ts"
import { dayShape } from "./Activity.ts"
import type { Auctions } from "./Auctions.ts"
import type { Breaker } from "./Breaker.ts"
import { daySegments, type Segment, type SegmentKind } from "./DaySegments.ts"
import type { Interruptions } from "./Interruptions.ts"
import { type AuctionKind, isFund, type Issue } from "./Issue.ts"
import { type Pit, randomEnd_ms } from "./Pit.ts"
import type { OpenVenue, OpenVenues } from "./Rounds.ts"
import { boardOf } from "./boardOf.ts"

const minute_ms = 60_000
/** Liquidation trading. */
const liquidationRound_ms = 30 * minute_ms
/** The evening of before September 2026. */
const overtimeRound_ms = 10 * minute_ms
/** How long orders gather before a halted issue trades again; only the time of circuit breakers is published [U]. */
const resume_ms = 10 * minute_ms
/** After so long even a prolonged closing auction is over, and the indices stand. */
const indexEnd_ms = 3 * minute_ms

/** Outside the regular session little is traded; the shares are ours. */
const preMarketBusyness = 0.1
const eveningBusyness = 0.08

const regular: OpenVenue = { session: "2", operationCode: "20" }
// The broker's codes of both after-markets are not known [U]: "after close, normal" is the nearest that is documented.
const afterMarket: OpenVenue = { session: "3", operationCode: "30" }
const preMarket: OpenVenue = { session: "1", operationCode: "10" }
const nxtVenues: Readonly<Record<NxtPart["part"], OpenVenue>> = { preMarket, main: regular, afterMarket }

export interface Sessions {
  /** Sets the day's parts, and every issue to where it stands at `atMs`; `"always"` trades without end. */
  begin(date: string, hours: "always" | "calendar", atMs: number): void
  readonly nextMs: () => number
  /** Enters the next part of the day. */
  readonly enterNext: () => void
  readonly segment: () => SegmentKind
  readonly open: () => OpenVenues
  /** Puts an issue where the present part of the day wants it, through a call auction when it was held back. */
  admit(issue: Issue): void
  /** Ends the auction of an issue with its print. */
  conclude(issue: Issue): void
  /** The instant at which the closing auction begins. */
  readonly closingMs: () => number
  readonly indicesCount: () => boolean
  readonly isOffBookTime: () => boolean
}

/** Moves the issues through the parts of the day. */
export const makeSessions = (
  pit: Pit,
  issues: ReadonlyArray<Issue>,
  auctions: Auctions,
  interruptions: Interruptions,
  breaker: () => Breaker,
  onEnter: (kind: SegmentKind) => void
): Sessions => {
  const { agenda, random } = pit
  let isAlways = true
  let segments: ReadonlyArray<Segment> = []
  let position = -1
  let nxt: ReadonlyArray<NxtPart> = []

  const kind = (): SegmentKind => (isAlways ? "continuous" : (segments[position]?.kind ?? "night"))
  const startOf = (wanted: SegmentKind) => segments.find((segment) => segment.kind === wanted)?.fromMs ?? Number.NaN
  const mayTrade = (issue: Issue) =>
    !issue.still && !issue.halted && breaker().status(boardOf(issue)) !== "ended" && issue.standing.state !== "stopped"

  const gatherUntil = (issue: Issue, auction: AuctionKind, endMs: number) => {
    auctions.gather(issue, auction)
    const { turn } = issue.standing
    agenda.add(endMs + 1 + random.below(randomEnd_ms), () => {
      if (issue.standing.turn === turn) meet(issue)
    })
  }

  /** The opening or closing auction of an issue ends, unless what it would give is too far away. */
  const meet = (issue: Issue) => {
    const { auction, expectedPrice, turn } = issue.standing
    const isCall = auction === "opening" || auction === "closing"
    const barred = isCall && expectedPrice > 0 ? interruptions.breach(issue, expectedPrice, true) : undefined
    const applies = barred === "static" || (barred === "dynamic" && auction === "closing")
    if (!applies || interruptions.of(issue) !== undefined) return conclude(issue)
    interruptions.note(issue, barred, expectedPrice)
    agenda.add(pit.nowMs() + 2 * minute_ms + 1 + random.below(randomEnd_ms), () => {
      if (issue.standing.turn === turn) conclude(issue)
    })
  }

  const conclude = (issue: Issue) => {
    const { auction } = issue.standing
    const { operationCode, session } = kind() === "afterMarket" ? afterMarket : regular
    if (auction === "overtime") auctions.uncross(issue, "3", "40")
    else auctions.uncross(issue, session, issue.liquidating ? "27" : operationCode)
    interruptions.end(issue)
    const at = kind()
    if (issue.liquidating && at === "continuous") gatherLiquidation(issue)
    // A circuit breaker may outlast the session.
    if (issue.standing.state === "continuous" && at !== "continuous" && at !== "afterMarket") {
      auctions.leave(issue, "closed")
      issue.close = issue.price
    }
  }

  const gatherLiquidation = (issue: Issue) => {
    const from = isAlways ? 0 : startOf("continuous")
    const endMs = from + (Math.floor((pit.nowMs() - from) / liquidationRound_ms) + 1) * liquidationRound_ms
    // The last round of the day is the closing auction's.
    if (isAlways || endMs < startOf("closingAuction")) gatherUntil(issue, "liquidation", endMs)
    else auctions.gather(issue, "liquidation")
  }

  const closeEverything = () => {
    for (const issue of issues) {
      interruptions.end(issue)
      if (!issue.halted) auctions.leave(issue, "closed")
    }
  }

  const overtimeRound = (atMs: number) => {
    if (kind() !== "singlePrice") return
    for (const issue of issues) {
      if (!mayTrade(issue) || issue.close === 0 || issue.liquidating) continue
      auctions.gather(issue, "overtime", issue.overtime.open === 0 ? issue.close : issue.overtime.price)
      const { turn } = issue.standing
      // The abolished market's rounds ended on the minute, as far as is known.
      agenda.add(atMs + overtimeRound_ms, () => {
        if (issue.standing.turn === turn) conclude(issue)
      })
    }
    if (atMs + overtimeRound_ms < (segments[position + 1]?.fromMs ?? 0)) {
      agenda.add(atMs + overtimeRound_ms, overtimeRound)
    }
  }

  const enter = (segment: Segment) => {
    onEnter(segment.kind)
    switch (segment.kind) {
      case "openingAuction":
        for (const issue of issues) if (mayTrade(issue)) gatherUntil(issue, "opening", startOf("continuous"))
        return
      case "closingAuction":
        for (const issue of issues) {
          if (!mayTrade(issue)) continue
          interruptions.end(issue)
          gatherUntil(issue, "closing", startOf("afterClose"))
        }
        return
      case "afterClose":
        // What could not join the closing auction closes at its last price.
        for (const issue of issues) if (!issue.still && issue.standing.state === "stopped") issue.close = issue.price
        return
      case "afterMarket":
        for (const issue of issues) {
          if (mayTrade(issue) && !isFund(issue.entry) && !issue.liquidating) auctions.leave(issue, "continuous")
        }
        return
      case "singlePrice":
        return overtimeRound(segment.fromMs)
      case "night":
        return closeEverything()
      default:
        return
    }
  }

  /** What has traded before the simulator began is where the present part of the day has it. */
  const placeLived = (issue: Issue) => {
    if (issue.still) return
    issue.standing.state = "continuous"
    if (issue.liquidating) gatherLiquidation(issue)
    const at = kind()
    if (at === "continuous" || at === "closingAuction") return
    auctions.leave(issue, "closed")
    issue.close = issue.price
  }

  const busyness = (): number => {
    if (isAlways) return 1
    const at = kind()
    if (at === "continuous") {
      const from = startOf("continuous")
      return dayShape((pit.nowMs() - from) / (startOf("closingAuction") - from))
    }
    return at === "preOpen" || at === "openingAuction" ? preMarketBusyness : eveningBusyness
  }

  const nxtNow = (): OpenVenue | undefined => {
    if (isAlways) return regular
    const now = pit.nowMs()
    const part = nxt.find(({ fromMs, toMs }) => fromMs <= now && now < toMs)?.part
    return part === undefined ? undefined : nxtVenues[part]
  }

  return {
    begin: (date, hours, atMs) => {
      isAlways = hours === "always"
      segments = isAlways ? [] : daySegments(date)
      nxt = isAlways ? [] : nxtHours(date)
      position = segments.findLastIndex(({ fromMs }) => fromMs <= atMs)
      if (isAlways || atMs > startOf("continuous") + randomEnd_ms) {
        for (const issue of issues) placeLived(issue)
      } else {
        // At the open to the second: its prints are still to come.
        while (position >= 0 && segments[position]?.kind === "continuous") position -= 1
      }
      const present = segments[position]
      if (present !== undefined && present.kind !== "continuous") enter(present)
    },
    nextMs: () => segments[position + 1]?.fromMs ?? Number.POSITIVE_INFINITY,
    enterNext: () => {
      position += 1
      const segment = segments[position]
      if (segment !== undefined) enter(segment)
    },
    segment: kind,
    open: () => {
      const at = kind()
      return {
        krx: at === "continuous" ? regular : at === "afterMarket" ? afterMarket : undefined,
        nxt: nxtNow(),
        busyness: busyness()
      }
    },
    admit: (issue) => {
      const at = kind()
      auctions.leave(issue, "closed")
      if (at === "continuous" || (at === "afterMarket" && !isFund(issue.entry))) {
        gatherUntil(issue, "resume", pit.nowMs() + resume_ms)
      } else if (at === "openingAuction") gatherUntil(issue, "opening", startOf("continuous"))
      else if (at === "closingAuction") gatherUntil(issue, "closing", startOf("afterClose"))
    },
    conclude,
    closingMs: () => (isAlways ? Number.POSITIVE_INFINITY : startOf("closingAuction")),
    indicesCount: () => {
      const at = kind()
      if (at === "afterClose") return pit.nowMs() <= startOf("afterClose") + indexEnd_ms
      return at === "continuous" || at === "closingAuction"
    },
    isOffBookTime: () => {
      const from = startOf("openingAuction")
      return pit.nowMs() >= from && pit.nowMs() < from + 10 * minute_ms
    }
  }
}
