import { Clock, Context, Effect, Layer } from "effect"
import { rowDigest } from "../domain/RowDigest.ts"
import { Counters } from "./Counters.ts"
import { ownerOf } from "./desk/approvalKey.ts"
import { Options } from "./ExchangeOptions.ts"
import { Faults } from "./Faults.ts"
import { alterReply, type AlteredReply, insteadOfCall } from "./faults/callFaults.ts"
import type { Subject } from "./faults/FaultBoard.ts"
import { answeredBody, rowsOf, symbolOf } from "./faults/rowFaults.ts"
import type { DoorAnswer, HttpCall } from "./HttpDoor.ts"
import { Ledger } from "./Ledger.ts"
import type { CallEntry } from "./ledger/LedgerEntry.ts"
import { drawLatency } from "./limits/latency.ts"
import { seededRandom } from "./market/SeededRandom.ts"
import { MasterFiles } from "./MasterFiles.ts"
import { QuotationApi } from "./QuotationApi.ts"
import type { Refusal } from "./Refusal.ts"
import { jsonReply, oauthRefusal, type Reply } from "./Reply.ts"
import { countCall } from "./stats.ts"
import { TokenDesk } from "./TokenDesk.ts"

const latencyLane = 102

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** The app key of a call: a header, or in the body of a call to `/oauth2`. */
const appKeyOf = ({ body, headers }: HttpCall): string | undefined =>
  text(headers["appkey"]) ?? /"appkey"\s*:\s*"([^"]{1,64})"/.exec(body)?.[1]

const subjectOf = (call: HttpCall): Subject => {
  const appKey = appKeyOf(call)
  const symbols = [...call.url.searchParams].filter(([name]) => name.toUpperCase().startsWith("FID_INPUT_ISCD"))
  return {
    path: call.url.pathname,
    tr: (text(call.headers["tr_id"]) ?? "").replace(/[^\w-]/g, "").slice(0, 32),
    owner: appKey === undefined ? undefined : ownerOf(appKey),
    symbols: symbols.map(([, symbol]) => symbol)
  }
}

/** What went out whole: with half a body, nobody has the rows. */
const sentRows = ({ faults, reply }: AlteredReply, asked: string): CallEntry["rows"] => {
  const body = faults.includes("truncatedJson") ? undefined : answeredBody(reply.body)
  return body === undefined ? undefined : rowsOf(body).map((row) => [symbolOf(row) ?? asked, rowDigest(row)] as const)
}

const entryOf = (call: HttpCall, subject: Subject, answer: AlteredReply, whole: boolean, rows: boolean): CallEntry => {
  const { faults, reply } = answer
  return {
    kind: "call",
    key: subject.owner,
    method: call.method,
    path: (subject.path ?? "").slice(0, 200),
    tr: text(subject.tr),
    outcome: whole ? (reply.refused === undefined ? "answered" : "refused") : "unanswered",
    status: reply.status,
    code: reply.refused,
    rows: rows && whole ? sentRows(answer, subject.symbols?.[0] ?? "") : undefined,
    ...(faults.length === 0 ? {} : { faults })
  }
}

/** Every call to a KIS path, from its head to its last byte: faults, desk or quotation, latency, count, ledger. */
export class KisCalls extends Context.Service<
  KisCalls,
  {
    answer(call: HttpCall): Effect.Effect<DoorAnswer>
  }
>()("observer/simulator/KisCalls") {
  static readonly layer = Layer.effect(
    KisCalls,
    Effect.gen(function* () {
      const { limits, seed } = yield* Options
      const clock = yield* Clock.Clock
      const counters = yield* Counters
      const desk = yield* TokenDesk
      const faults = yield* Faults
      const ledger = yield* Ledger
      const masterFiles = yield* MasterFiles
      const quotations = yield* QuotationApi
      const random = seededRandom(seed, latencyLane)
      const oauth = new Map<string, (body: string) => Effect.Effect<object, Refusal>>([
        ["/oauth2/tokenP", desk.issue],
        ["/oauth2/revokeP", desk.revoke],
        ["/oauth2/Approval", desk.approve]
      ])

      const carryOut = (call: HttpCall): Effect.Effect<Reply> => {
        // Another host of the broker's, without credentials or limits.
        if (call.url.pathname.startsWith(MasterFiles.prefix)) return Effect.sync(() => masterFiles.answer(call))
        const grant = call.method === "POST" ? oauth.get(call.url.pathname) : undefined
        return grant === undefined
          ? quotations.answer(call)
          : Effect.match(grant(call.body), { onSuccess: (body) => jsonReply(body), onFailure: oauthRefusal })
      }

      const altered = Effect.fnUntraced(function* (call: HttpCall, subject: Subject) {
        const { board, now } = faults
        if (board.list().length === 0) return { reply: yield* carryOut(call), faults: [] } satisfies AlteredReply
        const instead = insteadOfCall(board, subject, now())
        if (instead !== undefined) return instead
        const authorization = text(call.headers["authorization"])
        const revoked = authorization !== undefined && board.first(["tokenRevoked"], subject, now()) !== undefined
        if (revoked) desk.forget(authorization)
        const answer = alterReply(board, subject, now(), yield* carryOut(call))
        return revoked ? { ...answer, faults: ["tokenRevoked" as const, ...answer.faults] } : answer
      })

      return KisCalls.of({
        answer: Effect.fnUntraced(function* (call) {
          const subject = subjectOf(call)
          const takes_ms = drawLatency(limits.latency, random)
          const seenAtMs = clock.currentTimeMillisUnsafe()
          const answer: AlteredReply = yield* altered(call, subject)
          if (takes_ms > 0) yield* Effect.sleep(Math.max(0, takes_ms - (clock.currentTimeMillisUnsafe() - seenAtMs)))
          return {
            reply: answer.reply,
            ...(answer.wire && { wire: answer.wire }),
            onEnd: (whole) => {
              const entry = entryOf(call, subject, answer, whole, ledger.writes)
              countCall(counters, entry)
              ledger.note(entry)
            }
          }
        })
      })
    })
  )
}
