import { Clock, Context, Effect, Layer, Metric, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { marketNow, sleepTowards } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import { dayFolder, marketDate } from "../calendar/MarketTime.ts"
import { marker } from "../feed/FeedRecord.ts"
import { makeMarkers, seekMarkers } from "../journal/CertifiedMarkers.ts"
import { Disk } from "../journal/Disk.ts"
import { Journal } from "../journal/Journal.ts"
import { readRetired } from "../journal/RetiredDay.ts"
import { listSegments } from "../journal/Segments.ts"
import type { CertifiedMarker } from "../journal/Signature.ts"
import { SqlPipeline } from "../sql/SqlPipeline.ts"
import { verdicts } from "./certificate/Certificate.ts"
import { certifyDay } from "./certificate/certifyDay.ts"
import { dueAt } from "./certificate/dueAt.ts"
import { type Finished, markerOf, readFinished } from "./certificate/finished.ts"
import { makeRowCount, noRows } from "./certificate/rowCount.ts"

export interface CertifierOptions {
  readonly dataDir: string
  /** Of the observer. */
  readonly version: string
}

/** Days before today that are certified when they were missed. */
const days_back = 7
const day_ms = 86_400_000
/** A day that could not be certified is tried again. */
const again_ms = 600_000
/** The database may be this far behind the journal before it is compared all the same, up to where it has come. */
const follower_seconds_max = 120

const madeAt = Metric.gauge("observer_certificate_timestamp_seconds", {
  description: "When the newest certificate was made, seconds since 1970"
})
const verdictState = Metric.gauge("observer_certificate_verdict_state", {
  description: "1 for the verdict of the newest certificate"
})

/**
 * Certifies each day when it is over, and at the start those of the last week that were missed: has the journal seal what
 * it has, reads the day, writes the certificate beside it, and puts its hash on record. One that was made by hand when the
 * day was over stays, and is put on record.
 */
export class Certifier extends Context.Service<
  Certifier,
  {
    /** For a supervisor to run. */
    readonly run: Effect.Effect<never>
  }
>()("observer/ops/Certifier") {
  static readonly layer = (options: CertifierOptions) => Layer.effect(Certifier, make(options))
}

const make = Effect.fnUntraced(function* ({ dataDir, version }: CertifierOptions) {
  const disk = yield* Disk
  const journal = yield* Journal
  const session = yield* MarketSession
  const sql = yield* SqlPipeline

  /** Waits, and not for ever, until the database has what the journal has. */
  const caughtUp = Effect.map(sql.status, (status) => status === undefined || status.lag_records === 0).pipe(
    Effect.repeat({
      until: (isDone) => isDone,
      schedule: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: follower_seconds_max }))
    })
  )

  const rows = Effect.gen(function* () {
    if ((yield* sql.status) === undefined) return noRows("OBSERVER_SQL is off")
    const client = yield* sql.client
    if (client === undefined) return noRows("the database is not open")
    return yield* Effect.provideService(makeRowCount, SqlClient.SqlClient, client)
  })

  /** Hashes of certificates that the journal is known to have, by day. */
  const onRecord = new Map<string, string>()

  /** Also for a certificate of an earlier run, so that a restart does not end what is said of a day. */
  const meter = Effect.fnUntraced(function* (verdict: string, madeAtMs: number) {
    yield* Metric.update(madeAt, Math.round(madeAtMs / 1_000))
    for (const each of verdicts) {
      yield* Metric.update(Metric.withAttributes(verdictState, { verdict: each }), each === verdict ? 1 : 0)
    }
  })

  const putOnRecord = Effect.fnUntraced(function* (said: CertifiedMarker) {
    yield* journal.append([marker(yield* marketNow, said)])
    onRecord.set(said.day, said.certificateSha256)
  })

  /** Puts a certificate on record that was made by hand, or by a run that ended before it had said so. */
  const ensureOnRecord = Effect.fn("Certifier.onRecord")(function* ({ isUnchanged, madeAtMs, marker: said }: Finished) {
    const isKnown = () => onRecord.get(said.day) === said.certificateSha256
    if (!isUnchanged || isKnown()) return
    const markers = makeMarkers()
    const isFound = () => markers.of(said.day)?.marker.certificateSha256 === said.certificateSha256
    const fromDay = dayFolder(marketDate(madeAtMs))
    const search = { dataDir, fromDay, days_max: days_back + 1, sinceMs: madeAtMs, isDone: isFound }
    yield* seekMarkers(search, markers)
    if (isFound()) return void onRecord.set(said.day, said.certificateSha256)
    yield* putOnRecord(said)
    yield* Effect.logInfo("the certificate of a day is put on record", { day: said.day, file: said.file })
  })

  const certify = Effect.fn("Certifier.certify")(function* (day: string) {
    yield* journal.rotate
    yield* caughtUp
    const written = yield* certifyDay({
      dataDir,
      day,
      version,
      mode: session.mode,
      said: yield* session.said,
      nowMs: yield* marketNow,
      rows: yield* rows
    })
    const { certificate, certificateSha256, file } = written
    const { reasons, verdict } = certificate
    yield* putOnRecord(markerOf(certificate, certificateSha256, file))
    yield* meter(verdict, yield* Clock.currentTimeMillis)
    const words = { day: certificate.day, verdict, why: reasons[0] ?? "", file }
    yield* verdict === "complete" || verdict === "completeButFor"
      ? Effect.logInfo("the day is certified", words)
      : Effect.logWarning("the day is certified, and is not complete", words)
  })

  /** Days that are over and have files, the oldest first, with the certificate that they have. */
  const daysOver = Effect.gen(function* () {
    const nowMs = yield* marketNow
    const calendar = { mode: session.mode, said: yield* session.said }
    const days: Array<{ readonly day: string; readonly finished: Finished | undefined }> = []
    for (let back = days_back; back >= 0; back--) {
      const day = marketDate(nowMs - back * day_ms)
      const dueMs = dueAt(day, calendar) ?? Number.POSITIVE_INFINITY
      if (dueMs > nowMs || (yield* listSegments(dataDir, dayFolder(day))).length === 0) continue
      if ((yield* readRetired(dataDir, dayFolder(day))) !== undefined) continue
      days.push({ day, finished: yield* readFinished(dataDir, day, dueMs) })
    }
    return days
  })

  const nextDue = Effect.gen(function* () {
    const nowMs = yield* marketNow
    const calendar = { mode: session.mode, said: yield* session.said }
    const instants = [-1, 0, 1].flatMap((ahead) => dueAt(marketDate(nowMs + ahead * day_ms), calendar) ?? [])
    return Math.min(...instants.filter((atMs) => atMs > nowMs))
  })

  const see = Effect.fnUntraced(function* ({ day, finished }: Effect.Success<typeof daysOver>[number]) {
    if (finished === undefined) return yield* certify(day)
    yield* meter(finished.marker.verdict, finished.madeAtMs)
    yield* ensureOnRecord(finished)
  })

  const look = Effect.gen(function* () {
    let hasFailed = false
    for (const each of yield* daysOver) {
      yield* Effect.catch(see(each), (error) => {
        hasFailed = true
        return Effect.logError("the day cannot be certified, and is tried again", {
          day: each.day,
          reason: error.message
        })
      })
    }
    return hasFailed
  }).pipe(
    Effect.catch((error) => Effect.as(Effect.logError("days cannot be looked at", { reason: error.message }), true)),
    Effect.provideService(Disk, disk)
  )

  const run = Effect.gen(function* () {
    const hasFailed = yield* look
    // At most an hour at a time: the broker may say more of the days meanwhile.
    const dueMs = yield* nextDue
    yield* hasFailed ? Effect.sleep(again_ms) : sleepTowards(dueMs)
  }).pipe(Effect.forever)

  return Certifier.of({ run })
})
