import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { dayFolder } from "../../calendar/MarketTime.ts"
import { sha256Of } from "../../domain/sha256Of.ts"
import { certificateFiles, type CertifiedMarker, Signature } from "../../journal/Signature.ts"
import { readWhole } from "../../journal/wholeFile.ts"
import { verdicts } from "./Certificate.ts"

/** Of a certificate, what its marker says, and whether it is the day's last word. */
const Head = Schema.Struct({
  day: Schema.String,
  verdict: Schema.Literals(verdicts),
  madeAt: Schema.String,
  isOver: Schema.Boolean,
  manifest: Signature
})
type Head = typeof Head.Type

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Head))

/** The payload that puts a certificate on record. */
export const markerOf = (
  { day, manifest, verdict }: Pick<Head, "day" | "manifest" | "verdict">,
  certificateSha256: string,
  file: string
): CertifiedMarker => ({
  event: "certified",
  day,
  manifestSha256: manifest.sha256,
  certificateSha256,
  verdict,
  file,
  files: manifest.files,
  throughSeq: manifest.throughSeq
})

export interface Finished {
  /** UTC milliseconds of market time. */
  readonly madeAtMs: number
  readonly marker: CertifiedMarker
  /** Whether it is as its checksum says. */
  readonly isUnchanged: boolean
}

/**
 * The certificate of a day (`YYYYMMDD`) that needs no other: whole, and made when the day was over and due. One that was made
 * by hand before that says nothing of the rest of the day.
 */
export const readFinished = Effect.fnUntraced(function* (dataDir: string, day: string, dueMs: number) {
  const folder = dayFolder(day)
  const { json, sums } = certificateFiles
  // The checksums are written last.
  const said = yield* readWhole(join(dataDir, folder, sums))
  const text = yield* readWhole(join(dataDir, folder, json))
  if (said === undefined || text === undefined) return undefined
  const head = Result.getOrUndefined(decode(text))
  const madeAtMs = Date.parse(head?.madeAt ?? "")
  if (head?.isOver !== true || !(madeAtMs >= dueMs)) return undefined
  const sha256 = sha256Of(Buffer.from(text))
  return {
    madeAtMs,
    marker: markerOf(head, sha256, `${folder}/${json}`),
    isUnchanged: said.includes(`${sha256}  ${json}\n`)
  } satisfies Finished
})
