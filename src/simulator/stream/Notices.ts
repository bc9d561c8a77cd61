import { marketHour } from "../../calendar/MarketTime.ts"
import type { Issue } from "../market/Issue.ts"
import type { Trade } from "../market/trading.ts"
import { seal } from "./cipher.ts"
import { sealedFrame } from "./frames.ts"
import { fillRecord, type OrderNotice } from "./records/fillRecord.ts"
import type { World } from "./StreamKind.ts"
import type { Topics } from "./Topics.ts"
import type { Wire } from "./Wire.ts"

/** An order that is filled as soon as it is made. Price in KRW, size in shares. */
export interface MadeUpOrder {
  readonly code: string
  readonly side: "buy" | "sell"
  readonly price: number
  readonly size: number
}

/** Nobody's order is large: a made-up one is of a share to ten. */
const sizeMax = 10

/**
 * Fill notices. Nobody can trade here, so orders are made up: on request, and of themselves now and then while somebody
 * listens, at the price of a trade that just happened. Each session gets its own cipher text.
 */
export const makeNotices = ({ options, view }: World, trId: string, topics: Topics, wire: Pick<Wire, "send">) => {
  const ids = new Map<string, number>()
  let orderNumber = 0
  let dueAtMs = Number.POSITIVE_INFINITY

  const tell = (htsId: string, notice: OrderNotice): number => {
    const listening = topics.sessionsOf(trId, htsId)
    const plain = fillRecord(htsId, notice)
    for (const session of listening) wire.send(session, sealedFrame(trId, htsId, seal(plain, session.cipher)))
    return listening.size
  }

  /** Its receipt and its fill; how many sessions were told. */
  const fill = (htsId: string, { code, price, side, size }: MadeUpOrder): number => {
    orderNumber += 1
    const name = view.issue(code)?.entry.name ?? ""
    const hour = marketHour(view.nowMs())
    const notice = { orderNumber, side, code, name, price, size, orderSize: size, orderPrice: price, hour }
    tell(htsId, { ...notice, kind: "received" })
    return tell(htsId, { ...notice, kind: "filled" })
  }

  const isIdle = () => options.fillEvery_seconds <= 0 || ids.size === 0
  const schedule = () => {
    dueAtMs = isIdle() ? Number.POSITIVE_INFINITY : view.nowMs() + options.fillEvery_seconds * 1_000
  }

  return {
    fill,
    /** A session listens to the notices of an id from now on, or not any more. */
    begin: (htsId: string): void => {
      ids.set(htsId, (ids.get(htsId) ?? 0) + 1)
      if (dueAtMs === Number.POSITIVE_INFINITY) schedule()
    },
    end: (htsId: string): void => {
      const left = (ids.get(htsId) ?? 0) - 1
      if (left > 0) ids.set(htsId, left)
      else ids.delete(htsId)
      if (ids.size === 0) schedule()
    },
    onTrade: ({ entry }: Issue, { price, side, size, venue }: Trade): void => {
      if (view.nowMs() < dueAtMs || venue !== "KRX" || side === "none") return
      for (const htsId of ids.keys()) fill(htsId, { code: entry.code, side, price, size: Math.min(size, sizeMax) })
      schedule()
    }
  }
}

export type Notices = ReturnType<typeof makeNotices>
