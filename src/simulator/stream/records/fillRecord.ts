import type { StreamKind } from "../StreamKind.ts"

/** One event in the life of an order, as its owner is told of it. Price in KRW, sizes in shares. */
export interface OrderNotice {
  readonly kind: "received" | "filled" | "refused"
  readonly orderNumber: number
  readonly side: "buy" | "sell"
  readonly code: string
  readonly name: string
  readonly price: number
  /** What was filled; of the whole order where nothing was. */
  readonly size: number
  readonly orderSize: number
  readonly orderPrice: number
  /** `HHMMSS`. */
  readonly hour: string
}

/** Whoever reads this knows it for made up. */
const account = "0000000001"
const holder = "모의고객"

/**
 * The plain text of `H0STCNI0` and `H0STCNI9`, 26 columns. A fill has CNTG_YN 2; every other notice has 1, and its
 * quantity and price columns speak of the order.
 */
export const fillRecord = (htsId: string, notice: OrderNotice): string => {
  const isFill = notice.kind === "filled"
  return [
    htsId,
    account,
    String(notice.orderNumber).padStart(10, "0"),
    "0000000000",
    notice.side === "sell" ? "01" : "02",
    "0",
    "00",
    "0",
    notice.code,
    isFill ? notice.size : 0,
    isFill ? notice.price : 0,
    notice.hour,
    notice.kind === "refused" ? "1" : "0",
    isFill ? "2" : "1",
    isFill ? "2" : "1",
    "00000",
    notice.orderSize,
    holder,
    0,
    "1",
    "N",
    "",
    "10",
    "",
    notice.name,
    notice.orderPrice
  ].join("^")
}

/** Notices are not of the market but of an id, so no event of the market is encoded: see `Notices.ts`. */
export const liveFills = (): StreamKind => ({ trId: "H0STCNI0", keys: "htsId", offeredBy: "live" })

export const mockFills = (): StreamKind => ({ trId: "H0STCNI9", keys: "htsId", offeredBy: "mock" })
