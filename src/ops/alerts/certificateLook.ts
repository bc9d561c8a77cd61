import { Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import { MarketSession } from "../../calendar/MarketSession.ts"
import { dayFolder, marketDate } from "../../calendar/MarketTime.ts"
import { listSegments } from "../../journal/Segments.ts"
import { type CertifiedDay, readHead } from "../Certificates.ts"
import { dueAt } from "../certificate/dueAt.ts"

/** What the archive's last week says of its certificates. */
export interface CertificateLook {
  readonly newest: CertifiedDay | undefined
  /** Days with a record that should be certified by now and are not, the oldest first, `YYYY-MM-DD`. */
  readonly overdue: ReadonlyArray<string>
}

const days_back = 7
const day_ms = 86_400_000
/** A certificate waits for the database, and is tried again when it fails. */
const grace_ms = 3_600_000

/** Looks into the folders of the last week's days. */
export const lookAtCertificates = Effect.fnUntraced(function* (dataDir: string) {
  const session = yield* MarketSession
  const nowMs = yield* marketNow
  const calendar = { mode: session.mode, said: yield* session.said }
  let newest: CertifiedDay | undefined
  const overdue: Array<string> = []
  for (let back = days_back; back >= 0; back--) {
    const day = marketDate(nowMs - back * day_ms)
    const folder = dayFolder(day)
    const head = yield* readHead(dataDir, folder)
    if (head !== undefined) {
      newest = head
      continue
    }
    const dueMs = dueAt(day, calendar) ?? Number.POSITIVE_INFINITY
    if (dueMs + grace_ms > nowMs || (yield* listSegments(dataDir, folder)).length === 0) continue
    overdue.push(folder.replaceAll("/", "-"))
  }
  return { newest, overdue } satisfies CertificateLook
})
