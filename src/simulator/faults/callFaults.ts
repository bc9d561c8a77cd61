import { marketInstant } from "../../calendar/MarketTime.ts"
import { kstStamp } from "../desk/kstStamp.ts"
import { refusal, type RefusalCode, refusalTexts } from "../Refusal.ts"
import { oauthRefusal, quotationRefusal, type Reply } from "../Reply.ts"
import type { Fault } from "./Fault.ts"
import type { FaultBoard, Now, Subject } from "./FaultBoard.ts"
import { type FaultName, faultKinds } from "./faultKinds.ts"
import { answeredBody, withoutRows, zeroRows } from "./rowFaults.ts"

/** How an answer leaves, where it does not simply leave. */
export type Wire =
  | { readonly _tag: "drop" | "reset" | "silence" }
  | { readonly _tag: "slow"; readonly bytesPerSecond: number }

/** An answer as the faults have left it. */
export interface AlteredReply {
  readonly reply: Reply
  readonly wire?: Wire
  readonly faults: ReadonlyArray<FaultName>
}

const isOauth = ({ path }: Subject): boolean => path?.startsWith("/oauth2/") ?? false

const htmlPage = (status: number): Reply => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8" },
  body: `<!DOCTYPE html><html><head><title>Error</title></head><body><h1>서비스 이용에 불편을 드려 죄송합니다.</h1></body></html>`
})

const isCode = (code: string): code is RefusalCode => Object.hasOwn(refusalTexts, code)

const refused = (subject: Subject, code: string): Reply => {
  const given = refusal(isCode(code) ? code : "EGW00201")
  return isOauth(subject) ? oauthRefusal(given) : quotationRefusal(given, { tr_id: subject.tr ?? "", tr_cont: "" })
}

const replyInstead = (fault: Fault, subject: Subject): Reply => {
  const { code, status } = fault
  if (fault.fault === "tokenDeskDown") return oauthRefusal(refusal("EGW00002"))
  if (fault.fault === "storm") return refused(subject, code ?? faultKinds.storm.settings.code)
  if (fault.fault === "htmlPage") return htmlPage(status ?? faultKinds.htmlPage.settings.status)
  return { status: status ?? faultKinds.status.settings.status, headers: { "content-type": "text/html" }, body: "" }
}

const anyPath: ReadonlyArray<FaultName> = ["htmlPage", "status"]
const oauthPath: ReadonlyArray<FaultName> = ["tokenDeskDown", ...anyPath]
const quotationPath: ReadonlyArray<FaultName> = ["storm", ...anyPath]

/** The answer of a fault that keeps the call from being carried out. */
export const insteadOfCall = (board: FaultBoard, subject: Subject, now: Now): AlteredReply | undefined => {
  const struck = board.first(isOauth(subject) ? oauthPath : quotationPath, subject, now)
  return struck && { reply: replyInstead(struck.fault, subject), faults: [struck.fault.fault] }
}

const symbolsOf = ({ where }: Fault): ReadonlyArray<string> | undefined =>
  typeof where?.symbol === "string" ? [where.symbol] : where?.symbol

const alterRows = (board: FaultBoard, subject: Subject, now: Now, reply: Reply): AlteredReply => {
  const body = reply.refused === undefined && !isOauth(subject) ? answeredBody(reply.body) : undefined
  if (body === undefined) return { reply, faults: [] }
  const struck = board.all(["missingRows", "zeroRows"], subject, now)
  if (struck.length === 0) return { reply, faults: [] }
  const altered = struck.reduce((left, { fault, strikes }) => {
    if (fault.fault === "zeroRows") return zeroRows(left, symbolsOf(fault))
    return withoutRows(left, fault.rows ?? faultKinds.missingRows.settings.rows, strikes - 1, symbolsOf(fault))
  }, body)
  return { reply: { ...reply, body: JSON.stringify(altered) }, faults: struck.map(({ fault }) => fault.fault) }
}

const skewed = (reply: Reply, skew_ms: number, now: Now): Reply => {
  const headers = { ...reply.headers, date: new Date(now.realMs + skew_ms).toUTCString() }
  const text = typeof reply.body === "string" ? reply.body : ""
  const expiry = /"access_token_token_expired":"([^"]*)"/.exec(text)?.[1]
  if (expiry === undefined) return { ...reply, headers }
  const [date = "", hour = ""] = expiry.replace(/[-:]/g, "").split(" ")
  const atMs = marketInstant(date, hour) ?? now.realMs
  return { ...reply, headers, body: text.replace(expiry, kstStamp(atMs + skew_ms)) }
}

const wireFaults: ReadonlyArray<FaultName> = ["drop", "reset", "silence", "slowBytes", "truncatedJson"]

const alterWire = (reply: Reply, fault: Fault): Pick<AlteredReply, "reply" | "wire"> => {
  const { fault: name } = fault
  if (name === "drop" || name === "reset" || name === "silence") return { reply, wire: { _tag: name } }
  if (name === "slowBytes") {
    const bytesPerSecond = fault.bytesPerSecond ?? faultKinds.slowBytes.settings.bytesPerSecond
    return { reply, wire: { _tag: "slow", bytesPerSecond } }
  }
  return { reply: { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) } }
}

/** What the faults make of the answer to a call that was carried out. */
export const alterReply = (board: FaultBoard, subject: Subject, now: Now, reply: Reply): AlteredReply => {
  const rows = alterRows(board, subject, now, reply)
  const skew = board.first(["clockSkew"], subject, now)
  const seconds = skew?.fault.skew_seconds ?? faultKinds.clockSkew.settings.skew_seconds
  const dated = skew === undefined ? rows.reply : skewed(rows.reply, seconds * 1_000, now)
  const wire = board.first(wireFaults, subject, now)
  const faults = [
    ...rows.faults,
    ...[skew, wire].flatMap((struck) => (struck === undefined ? [] : [struck.fault.fault]))
  ]
  return wire === undefined ? { reply: dated, faults } : { ...alterWire(dated, wire.fault), faults }
}
