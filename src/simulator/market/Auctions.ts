import { type AuctionKind, type Issue, refreshBook } from "./Issue.ts"
import type { ExpectedMatch } from "./MarketView.ts"
import type { Pit } from "./Pit.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { type SessionCode, setBid } from "./trading.ts"

/** Call auctions: orders gather, everybody sees what they would give, then one trade at one price. */
export interface Auctions {
  /** Begins to gather; `price` is where it starts. */
  gather(issue: Issue, kind: AuctionKind, price?: number): void
  /** One more order arrives. */
  stir(issue: Issue): void
  /** Ends the auction: prints what it gave, if anybody had an order, and leaves the issue to trade on. */
  uncross(issue: Issue, session: SessionCode, operationCode: string): void
  /** Takes the issue out of its auction, without a print. */
  leave(issue: Issue, state: "closed" | "continuous" | "stopped"): void
  expected(issue: Issue): ExpectedMatch | undefined
  readonly gathering: ReadonlySet<Issue>
  readonly clear: () => void
}

const bell = (random: SeededRandom) => random.next() + random.next() + random.next() - 1.5

/** What an auction brings together in the end, and the chance that anybody comes at all; the opening one of 005930 had 1.4 % of a day. */
const prospects = (issue: Issue, kind: AuctionKind): { readonly shares: number; readonly chance: number } => {
  const { previousVolume, volume } = issue
  switch (kind) {
    case "opening":
      return { shares: previousVolume * 0.014, chance: 1 - Math.exp(-previousVolume / 3_000) }
    case "closing":
      return { shares: Math.max(volume * 0.04, previousVolume * 0.003), chance: 1 - Math.exp(-previousVolume / 1_500) }
    case "interruption":
    case "resume":
      return { shares: 20 + volume * 0.003, chance: 1 }
    case "liquidation":
      return { shares: previousVolume / 14, chance: 0.7 }
    case "overtime":
      return { shares: previousVolume * 0.0004, chance: 0.4 * (1 - Math.exp(-previousVolume / 50_000)) }
  }
}

/** The single-price evening moves by 10 % of the close at most, and never out of the day's limits. */
const bandOf = (issue: Issue) => {
  if (issue.standing.auction !== "overtime") return { lower: issue.lower, upper: issue.upper }
  return {
    lower: Math.max(issue.lower, issue.grid.ceil((issue.close * 9) / 10)),
    upper: Math.min(issue.upper, issue.grid.floor((issue.close * 11) / 10))
  }
}

export const makeAuctions = (pit: Pit): Auctions => {
  const { random } = pit
  const gathering = new Set<Issue>()

  const clamp = (issue: Issue, price: number) => {
    const { lower, upper } = bandOf(issue)
    return Math.min(upper, Math.max(lower, issue.grid.floor(price)))
  }

  const expected = ({ standing }: Issue): ExpectedMatch | undefined => {
    if (standing.state !== "auction" || standing.expectedPrice === 0) return undefined
    const hourClass = standing.auction === "opening" ? "B" : standing.auction === "overtime" ? "D" : "C"
    return { price: standing.expectedPrice, volume: standing.expectedVolume, hourClass }
  }

  const show = (issue: Issue) => {
    const match = expected(issue)
    if (match === undefined) return
    // The book of the evening is not the day's.
    if (issue.standing.auction !== "overtime") {
      setBid(issue, issue, match.price)
      refreshBook(issue, issue, random)
      pit.touch(issue)
    }
    pit.expect(issue, match)
  }

  return {
    gathering,
    expected,
    gather: (issue, kind, price) => {
      const { standing } = issue
      standing.state = "auction"
      standing.auction = kind
      standing.turn += 1
      gathering.add(issue)
      const { chance, shares } = prospects(issue, kind)
      const from = price ?? (kind === "opening" ? issue.basePrice * (1 + 0.015 * bell(random)) : issue.price)
      const comes = random.next() < chance
      standing.targetVolume = Math.ceil(shares * (0.3 + 1.4 * random.next()))
      standing.expectedVolume = comes ? Math.max(1, Math.ceil(standing.targetVolume * 0.2)) : 0
      standing.expectedPrice = comes ? clamp(issue, from) : 0
      show(issue)
    },
    stir: (issue) => {
      const { standing } = issue
      if (standing.expectedPrice === 0) return
      const missing = standing.targetVolume - standing.expectedVolume
      standing.expectedVolume =
        random.next() < 0.1
          ? Math.max(1, standing.expectedVolume - random.below(1 + (standing.expectedVolume >> 6)))
          : standing.expectedVolume + 1 + Math.max(0, Math.floor(missing * 0.08 * random.next()))
      if (random.next() < 0.3) {
        const { lower, upper } = bandOf(issue)
        const ticks = standing.auction === "liquidation" ? 1 + random.below(5) : 1
        const isUp = random.next() < 0.5
        for (let tick = 0; tick < ticks; tick++) {
          if (isUp && standing.expectedPrice < upper) standing.expectedPrice = issue.grid.up(standing.expectedPrice)
          if (!isUp && standing.expectedPrice > lower) standing.expectedPrice = issue.grid.down(standing.expectedPrice)
        }
      }
      show(issue)
    },
    uncross: (issue, session, operationCode) => {
      const { standing } = issue
      const { auction: kind, expectedPrice: price, expectedVolume: size } = standing
      gathering.delete(issue)
      standing.state = kind === "closing" || kind === "overtime" ? "closed" : "continuous"
      standing.auction = undefined
      standing.turn += 1
      standing.expectedPrice = standing.expectedVolume = 0
      if (price > 0 && kind !== "overtime") {
        setBid(issue, issue, price > issue.lower && random.next() < 0.5 ? issue.grid.down(price) : price)
        refreshBook(issue, issue, random)
        issue.anchor = price * (1 + 0.004 * bell(random))
        issue.reference = price
        standing.matchPrice = price
        standing.matchVolume = size
        if (kind === "opening") {
          standing.openingPrice = price
          standing.openingVolume = size
        }
      }
      if (price > 0) {
        const print = { price, size, side: "none", midpoint: false, auction: true } as const
        pit.print(issue, { ...print, hour: pit.hour(), venue: "KRX", session, hourClass: "0", operationCode })
      }
      if (kind === "closing") issue.close = issue.price
    },
    leave: (issue, state) => {
      gathering.delete(issue)
      issue.standing.state = state
      issue.standing.auction = undefined
      issue.standing.turn += 1
      issue.standing.expectedPrice = issue.standing.expectedVolume = 0
    },
    clear: () => gathering.clear()
  }
}
