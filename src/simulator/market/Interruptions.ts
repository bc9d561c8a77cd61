import type { Auctions } from "./Auctions.ts"
import type { Issue } from "./Issue.ts"
import type { Interruption } from "./MarketView.ts"
import { type Pit, randomEnd_ms } from "./Pit.ts"

/** A volatility interruption lasts so long, and up to 30 s more. */
export const interruption_ms = 120_000
const staticPercent = 10
/** Below so many ticks a move is the grid's doing, not the market's. */
const ticksMin = 3

interface Entry {
  readonly issue: Issue
  readonly record: Interruption
}

/** Volatility interruptions of single issues: when one is due, and which there have been today. */
export interface Interruptions {
  /** Whether a trade at this price is barred, and by which rule; `isCall`: as the result of the opening or closing auction. */
  breach(issue: Issue, price: number, isCall?: boolean): "static" | "dynamic" | undefined
  /** Stops continuous trading for a call auction. */
  begin(issue: Issue, kind: "static" | "dynamic", triggerPrice: number, after: (issue: Issue) => void): void
  /** Notes one that prolongs the auction going on; `end` is to be called with its print. */
  note(issue: Issue, kind: "static" | "dynamic", triggerPrice: number): void
  end(issue: Issue): void
  of(issue: Issue): Interruption | undefined
  /** The newest first. */
  readonly today: () => ReadonlyArray<Interruption>
  readonly beginDay: () => void
}

const isFar = (price: number, from: number, percent: number) => Math.abs(price - from) * 100 >= from * percent

export const makeInterruptions = (pit: Pit, auctions: Auctions): Interruptions => {
  let entries: Array<Entry> = []
  const current = new Map<Issue, number>()

  // The captures show 112 at most starts and 311 at most ends, and VI_CLS_CODE Y at one start in eight.
  const announce = (issue: Issue, expectedOperation: string, interrupted: boolean) =>
    pit.announce({
      issueCode: issue.entry.code,
      market: undefined,
      operation: "AB1",
      expectedOperation,
      halted: false,
      reason: "",
      interrupted
    })

  const note: Interruptions["note"] = (issue, kind, triggerPrice) => {
    const { code } = issue.entry
    const referencePrice = kind === "static" ? issue.reference : issue.price
    const record = { code, kind, startHour: pit.hour(), endHour: undefined, referencePrice, triggerPrice }
    current.set(issue, entries.push({ issue, record }) - 1)
    announce(issue, "112", pit.random.next() < 0.125)
  }

  const end = (issue: Issue) => {
    const at = current.get(issue)
    const entry = at === undefined ? undefined : entries[at]
    if (at === undefined || entry === undefined) return
    entries[at] = { issue, record: { ...entry.record, endHour: pit.hour() } }
    current.delete(issue)
    announce(issue, "311", false)
  }

  return {
    breach: (issue, price, isCall = false) => {
      if (issue.liquidating) return undefined
      const { dynamicPercent, grid, price: last, reference } = issue
      const ticks = ticksMin * grid.tick(price)
      if (isFar(price, reference, staticPercent) && Math.abs(price - reference) >= ticks) return "static"
      const percent = isCall ? (dynamicPercent * 2) / 3 : dynamicPercent
      return isFar(price, last, percent) && Math.abs(price - last) >= ticks ? "dynamic" : undefined
    },
    begin: (issue, kind, triggerPrice, after) => {
      note(issue, kind, triggerPrice)
      auctions.gather(issue, "interruption", triggerPrice)
      const { turn } = issue.standing
      pit.agenda.add(pit.nowMs() + interruption_ms + 1 + pit.random.below(randomEnd_ms), () => {
        if (issue.standing.turn === turn) after(issue)
      })
    },
    note,
    end,
    of: (issue) => {
      const at = current.get(issue)
      return at === undefined ? undefined : entries[at]?.record
    },
    today: () => entries.map(({ record }) => record).reverse(),
    beginDay: () => {
      entries = []
      current.clear()
    }
  }
}
