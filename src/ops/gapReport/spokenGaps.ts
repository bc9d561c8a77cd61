import type { GapsAnswer } from "../Gaps.ts"

const utc = (atMs: number) => new Date(atMs).toISOString()

/** The answer as programs read it, over HTTP and of `observer gaps --json` alike: instants are UTC, what is not known is absent. */
export const spokenGaps = ({ open, record, report, retiredAt }: GapsAnswer) => ({
  ...report,
  ...(retiredAt === undefined ? {} : { retiredAt }),
  ...(record.firstMs === undefined ? {} : { firstReceivedAt: utc(record.firstMs) }),
  ...(record.lastMs === undefined ? {} : { lastReceivedAt: utc(record.lastMs) }),
  ...(record.isObserved === undefined ? {} : { isObserved: record.isObserved }),
  unrecorded_seconds: record.unrecorded_seconds,
  unrecorded: record.unrecorded.map(({ fromMs, toMs }) => ({ from: utc(fromMs), to: utc(toMs) })),
  holes: report.holes.map(({ cause, fromMs, leftFromMs, symbol, toMs, ...rest }) => ({
    cause,
    ...(symbol === undefined ? {} : { symbol }),
    from: utc(fromMs),
    to: utc(toMs),
    ...rest,
    leftFrom: utc(leftFromMs)
  })),
  open: open.map(({ fromMs, ...rest }) => ({ ...rest, from: utc(fromMs) }))
})
