import type { GapCause, GapPayload, Repair } from "../domain/Gap.ts"
import type { RecordDraft, RecordSource } from "../domain/JournalRecord.ts"
import { withoutSecrets } from "../domain/Secrets.ts"
import type { RejectPayload, RejectReason } from "../domain/Reject.ts"

/** A record of something that was refused, with what was refused; but the secrets that are known are not kept in it. */
export const reject = (
  source: RecordSource,
  account: string,
  receivedAtMs: number,
  reason: RejectReason,
  raw: string
): RecordDraft => ({
  kind: "reject",
  receivedAtMs,
  source,
  account,
  payload: { reason, raw: withoutSecrets(raw) } satisfies RejectPayload
})

/** A record of a hole, or of what filled one. */
export const gap = (
  receivedAtMs: number,
  hole: {
    readonly fromMs: number
    readonly toMs: number
    readonly cause: GapCause
    readonly symbol?: string
    readonly isOpen?: boolean
    readonly repairedBy?: Repair
  },
  account?: string
): RecordDraft => {
  const { cause, fromMs, isOpen, repairedBy, symbol, toMs } = hole
  const from = new Date(fromMs).toISOString()
  const payload: GapPayload = {
    from,
    to: new Date(toMs).toISOString(),
    cause,
    ...(symbol === undefined ? {} : { symbol }),
    ...(isOpen === true ? { open: true } : {}),
    ...(repairedBy === undefined ? {} : { repairedBy })
  }
  return { kind: "gap", symbol, receivedAtMs, source: "observer", account, payload }
}

/** A record of something Observer itself did. */
export const marker = (
  receivedAtMs: number,
  event: Readonly<Record<string, unknown>>,
  account?: string
): RecordDraft => ({
  kind: "marker",
  receivedAtMs,
  source: "observer",
  account,
  payload: event
})
