import type { RecordSource } from "../../domain/JournalRecord.ts"
import type { MinuteMarker, MinuteSource } from "../../domain/MinuteMarker.ts"
import type { Balance } from "../../journal/Conservation.ts"

/** What was counted since the start. */
export interface Totals extends Pick<MinuteMarker, "tokens" | "frames" | "bytes"> {
  readonly balances: ReadonlyMap<RecordSource, Balance>
  readonly calls: ReadonlyMap<string, { readonly answered: number; readonly refused: number }>
}

export const zero: Totals = { balances: new Map(), calls: new Map(), tokens: 0, frames: 0, bytes: 0 }

type Amounts = Pick<MinuteMarker, "sources" | "remainder" | "calls" | "tokens" | "frames" | "bytes">

/** What has come between two looks at the totals, and what is on its way and amiss at the second. */
export const amountsBetween = (before: Totals, now: Totals): Amounts => {
  const sources = [...now.balances].map(([source, balance]): readonly [string, MinuteSource] => {
    const { deduplicated = 0, received = 0, rejected = 0, stored = 0 } = before.balances.get(source) ?? {}
    return [
      source,
      {
        received: balance.received - received,
        stored: balance.stored - stored,
        rejected: balance.rejected - rejected,
        deduplicated: balance.deduplicated - deduplicated,
        inFlight: balance.inFlight
      }
    ]
  })
  const calls = [...now.calls].map(([account, all]) => {
    const { answered = 0, refused = 0 } = before.calls.get(account) ?? {}
    return [account, { answered: all.answered - answered, refused: all.refused - refused }] as const
  })
  const amiss = [...now.balances].filter(([, { remainder }]) => remainder !== 0)
  return {
    sources: Object.fromEntries(sources),
    ...(amiss.length === 0
      ? {}
      : { remainder: Object.fromEntries(amiss.map(([source, { remainder }]) => [source, remainder])) }),
    calls: Object.fromEntries(calls),
    tokens: now.tokens - before.tokens,
    frames: now.frames - before.frames,
    bytes: now.bytes - before.bytes
  }
}

/** Whether nothing came, went or is on its way. */
export const isNothing = ({ bytes, calls, frames, sources, tokens }: Amounts): boolean =>
  [
    tokens,
    frames,
    bytes,
    ...Object.values(calls).flatMap(({ answered, refused }) => [answered, refused]),
    ...Object.values(sources).flatMap((source) => Object.values(source))
  ].every((amount) => amount === 0)
