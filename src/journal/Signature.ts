import { Schema } from "effect"
import { sha256Of } from "../domain/sha256Of.ts"
import { ManifestLine } from "./Manifest.ts"

const { gzip: _compressedLater, ...fields } = ManifestLine.fields

/** A manifest's line as it is signed: without `gzip`, which comes when the file has long been certified. */
export const SignedLine = Schema.Struct(fields)
export type SignedLine = typeof SignedLine.Type

/** What the files of a day came to when they were certified. */
export const Signature = Schema.Struct({
  /** How many files, and the highest `seq` in them. */
  files: Schema.Int,
  throughSeq: Schema.Int,
  /** Of their lines in canonical form, each with its newline. */
  sha256: Schema.String
})
export type Signature = typeof Signature.Type

export const signedKeys = Object.keys(fields) as ReadonlyArray<keyof SignedLine>

/** The line with its keys in the order of the manifest and nothing else in it. */
export const signedLine = (line: SignedLine): SignedLine => ({
  file: line.file,
  node: line.node,
  firstSeq: line.firstSeq,
  lastSeq: line.lastSeq,
  lines: line.lines,
  bytes: line.bytes,
  sha256: line.sha256,
  firstReceivedAt: line.firstReceivedAt,
  lastReceivedAt: line.lastReceivedAt,
  sealedAt: line.sealedAt
})

/** The order in which lines are signed, whatever the order in which they were entered. */
export const inSignedOrder = (lines: ReadonlyArray<SignedLine>): ReadonlyArray<SignedLine> =>
  lines.map(signedLine).sort((a, b) => (a.node === b.node ? a.firstSeq - b.firstSeq : a.node < b.node ? -1 : 1))

/** Signs the lines of a day's manifest: another line, or any other value in one, is another signature. */
export const signatureOf = (lines: ReadonlyArray<SignedLine>): Signature => {
  const text = inSignedOrder(lines).map((line) => `${JSON.stringify(line)}\n`)
  return {
    files: lines.length,
    throughSeq: Math.max(0, ...lines.map(({ lastSeq }) => lastSeq)),
    sha256: sha256Of(Buffer.from(text.join("")))
  }
}

/** The files of a day's certificate, in its folder. */
export const certificateFiles = {
  json: "CERTIFICATE.json",
  html: "CERTIFICATE.html",
  sums: "CERTIFICATE.sha256"
} as const

/** The part of a `CERTIFICATE.json` by which it is held against the files. */
export const SignedCertificate = Schema.Struct({
  v: Schema.Literal(1),
  /** `YYYY-MM-DD`, in market time. */
  day: Schema.String,
  madeAt: Schema.String,
  manifest: Signature,
  files: Schema.Array(SignedLine)
})
export type SignedCertificate = typeof SignedCertificate.Type

/** The payload of the marker that puts a certificate on record. */
export const CertifiedMarker = Schema.Struct({
  event: Schema.Literal("certified"),
  day: Schema.String,
  manifestSha256: Schema.String,
  certificateSha256: Schema.String,
  verdict: Schema.String,
  file: Schema.String,
  files: Schema.Int,
  throughSeq: Schema.Int
})
export type CertifiedMarker = typeof CertifiedMarker.Type
