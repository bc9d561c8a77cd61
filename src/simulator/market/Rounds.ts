import type { Activity } from "./Activity.ts"
import type { Interruptions } from "./Interruptions.ts"
import type { Issue, Quotes } from "./Issue.ts"
import type { MarketRules } from "./MarketRules.ts"
import type { Pit } from "./Pit.ts"
import { drift, nextSweep, type SessionCode, setBid, sweepLength, tradeSize, type Venue } from "./trading.ts"

/** What is open now: `undefined` is closed; with its mark in the records and how busy it is against the regular session. */
export interface OpenVenue {
  readonly session: SessionCode
  readonly operationCode: string
}

export interface OpenVenues {
  readonly krx: OpenVenue | undefined
  readonly nxt: OpenVenue | undefined
  readonly busyness: number
}

/** An issue in a hurry: how its interruptions come about. */
interface Surge {
  readonly issue: Issue
  readonly isUp: boolean
  left: number
}

/** Picks that find a closed issue cost as much as the mean order that finds an open one. */
const tradesPerOrder = 2.3
/** In a coarser grid a surge would be a handful of ticks. */
const surgePriceMin = 1_000
const surgeSteps = 60

/** Continuous trading at both venues. */
export interface Rounds {
  /** Makes the trades of `forMs` of market time. */
  run(forMs: number, tradesPerSecond: number, open: OpenVenues): void
  /** Closing-price trades before the open, which nobody sees: volume and value rise in silence. */
  runOffBook(forMs: number, tradesPerSecond: number): void
  /** Closing-price trades after the close, at one price. */
  runClosingPrice(forMs: number, tradesPerSecond: number): void
  readonly beginDay: () => void
}

export const makeRounds = (
  pit: Pit,
  activity: () => Activity,
  interruptions: Interruptions,
  rules: MarketRules,
  afterInterruption: (issue: Issue) => void
): Rounds => {
  const { random } = pit
  let owed = 0
  let offBookOwed = 0
  let closingOwed = 0
  let surges: Array<Surge> = []

  const venueFor = (issue: Issue, open: OpenVenues): Venue | undefined => {
    const { auction, state } = issue.standing
    const atKrx = open.krx !== undefined && state === "continuous"
    const atNxt =
      open.nxt !== undefined &&
      issue.nxt !== undefined &&
      state !== "stopped" &&
      auction !== "interruption" &&
      auction !== "resume"
    if (atKrx && atNxt) return random.next() < rules.nxtShare ? "NXT" : "KRX"
    return atKrx ? "KRX" : atNxt ? "NXT" : undefined
  }

  /** One order, and the trades it makes; answers how many. */
  const order = (issue: Issue, venue: Venue, quotes: Quotes, { operationCode, session }: OpenVenue): number => {
    const { midpoint, price, side } = nextSweep(quotes, issue, random)
    const barred = venue === "KRX" ? interruptions.breach(issue, price) : undefined
    if (barred !== undefined) {
      interruptions.begin(issue, barred, price, afterInterruption)
      return 1
    }
    const hour = pit.hour()
    const length = sweepLength(random)
    for (let left = length; left > 0; left--) {
      const size = tradeSize(price, random)
      pit.print(issue, {
        hour,
        price,
        size,
        side,
        midpoint,
        venue,
        session,
        hourClass: "0",
        operationCode,
        auction: false
      })
    }
    return length
  }

  const trade = (issue: Issue, open: OpenVenues): number => {
    const venue = venueFor(issue, open)
    if (venue === "NXT" && issue.nxt !== undefined && open.nxt !== undefined) {
      // With both open the better quotes are everywhere the same.
      if (issue.standing.state === "continuous") setBid(issue.nxt, issue, issue.bid)
      else drift(issue.nxt, issue, random)
      return order(issue, "NXT", issue.nxt, open.nxt)
    }
    if (venue !== "KRX" || open.krx === undefined) return tradesPerOrder
    drift(issue, issue, random)
    return order(issue, "KRX", issue, open.krx)
  }

  const hurry = (forMs: number, krx: OpenVenue) => {
    if (random.next() < (rules.interruptionsPerHour * forMs) / 3_600_000) {
      const issue = activity().drawBusy(random)
      if (issue !== undefined && issue.price >= surgePriceMin && issue.standing.state === "continuous") {
        const isUp = issue.price > issue.reference || (issue.price === issue.reference && random.next() < 0.5)
        surges.push({ issue, isUp, left: surgeSteps })
      }
    }
    surges = surges.filter(({ issue, left }) => left > 0 && issue.standing.state === "continuous")
    for (const surge of surges) {
      if (random.next() > forMs / 1_000) continue
      const { issue, isUp } = surge
      surge.left -= 1
      const leap = issue.price * (0.004 + 0.008 * random.next())
      const bid = isUp
        ? Math.min(issue.upper, issue.grid.ceil(issue.bid + leap))
        : Math.max(issue.lower, issue.grid.floor(issue.bid - leap))
      setBid(issue, issue, bid)
      issue.anchor = bid
      owed -= order(issue, "KRX", issue, krx)
    }
  }

  return {
    run: (forMs, tradesPerSecond, open) => {
      if (open.krx === undefined && open.nxt === undefined) return
      if (open.krx !== undefined) hurry(forMs, open.krx)
      owed += (tradesPerSecond * open.busyness * forMs) / 1_000
      // A long order may spend more than this step is owed; the next steps make up for it.
      while (owed >= 1) {
        const issue = activity().draw(random)
        if (issue === undefined) return
        owed -= trade(issue, open)
      }
    },
    runOffBook: (forMs, tradesPerSecond) => {
      offBookOwed += (tradesPerSecond * 0.02 * forMs) / 1_000
      for (; offBookOwed >= 1; offBookOwed--) {
        const issue = activity().draw(random)
        if (issue === undefined || issue.standing.state === "stopped") continue
        const size = tradeSize(issue.basePrice, random)
        issue.volume += size
        issue.value += size * issue.basePrice
        issue.offBookVolume += size
        issue.offBookValue += size * issue.basePrice
      }
    },
    runClosingPrice: (forMs, tradesPerSecond) => {
      closingOwed += (tradesPerSecond * 0.03 * forMs) / 1_000
      for (; closingOwed >= 1; closingOwed--) {
        const issue = activity().draw(random)
        if (issue === undefined || issue.standing.state !== "closed" || issue.close === 0 || issue.volume === 0)
          continue
        pit.print(issue, {
          hour: pit.hour(),
          price: issue.close,
          size: tradeSize(issue.close, random),
          side: "none",
          midpoint: false,
          venue: "KRX",
          session: "5",
          hourClass: "0",
          operationCode: "31",
          auction: true
        })
      }
    },
    beginDay: () => {
      owed = 0
      surges = []
    }
  }
}
