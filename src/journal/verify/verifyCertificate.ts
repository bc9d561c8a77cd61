import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { marketDate } from "../../calendar/MarketTime.ts"
import { sha256Of } from "../../domain/sha256Of.ts"
import type { OnRecord } from "../CertifiedMarkers.ts"
import { certificateFiles, SignedCertificate, signatureOf, type SignedLine, signedKeys } from "../Signature.ts"
import { readWhole } from "../wholeFile.ts"
import type { DayLists } from "./DayLists.ts"
import { fromBackup, type Problem } from "./Problem.ts"

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(SignedCertificate))

/** The certificate of a day, as its files say; `undefined` of a day that has none. */
interface Found {
  readonly certificate: SignedCertificate | undefined
  readonly sha256: string
}

const dayWithHyphens = (day: string) => day.replaceAll("/", "-")

/** Holds the certificate's files against their checksums. */
const readCertificate = Effect.fnUntraced(function* (dataDir: string, day: string, problems: Array<Problem>) {
  const at = (name: string) => join(dataDir, day, name)
  const text = yield* readWhole(at(certificateFiles.json))
  const sums = yield* readWhole(at(certificateFiles.sums))
  const again = `observer certify ${dayWithHyphens(day)} makes it anew`
  const wrong = (name: string, problem: string, remedy = again) =>
    void problems.push({ kind: "certificate", file: `${day}/${name}`, problem, remedy })
  if (text === undefined && sums === undefined) return undefined
  if (text === undefined) return void wrong(certificateFiles.json, "it is not there, and its checksum is")
  if (sums === undefined) wrong(certificateFiles.sums, "it is not there")
  else {
    for (const name of [certificateFiles.json, certificateFiles.html]) {
      const said = new RegExp(`^([0-9a-f]{64}) {2}${name}$`, "m").exec(sums)?.[1]
      const is = name === certificateFiles.json ? text : yield* readWhole(at(name))
      if (is === undefined) wrong(name, "it is not there")
      else if (said === undefined) wrong(certificateFiles.sums, `it has no line for ${name}`)
      else if (said !== sha256Of(Buffer.from(is)))
        wrong(name, "it was changed since it was made", fromBackup(`${day}/${name}`))
    }
  }
  const certificate = Result.getOrUndefined(decode(text))
  if (certificate === undefined) wrong(certificateFiles.json, "it is not a certificate")
  else if (certificate.day !== dayWithHyphens(day))
    wrong(certificateFiles.json, `it is of another day, ${certificate.day}`)
  return { certificate, sha256: sha256Of(Buffer.from(text)) } satisfies Found
})

/** What the manifest says otherwise than the certificate, in words, a sentence a file. */
const differences = (certified: ReadonlyArray<SignedLine>, now: DayLists["manifest"]): ReadonlyArray<string> => {
  const reached = new Map<string, number>()
  for (const { lastSeq, node } of certified) reached.set(node, Math.max(lastSeq, reached.get(node) ?? 0))
  const known = new Set(certified.map(({ file }) => file))
  const changed = certified.flatMap((line) => {
    const is = now.get(line.file)
    if (is === undefined) return [`its line of ${line.file}, which was certified, is gone`]
    const others = signedKeys.filter((key) => is[key] !== line[key])
    return others.length === 0
      ? []
      : [
          `${others.join(" and ")} of ${line.file} is not what was certified (${others.map((key) => `${String(line[key])} → ${String(is[key])}`).join(", ")})`
        ]
  })
  const added = [...now.values()].flatMap(({ file, lastSeq, node }) =>
    !known.has(file) && lastSeq <= (reached.get(node) ?? 0)
      ? [`it names ${file}, which was not there when it was certified`]
      : []
  )
  return [...changed, ...added]
}

/** The hash of a day's certificate as its file is; `undefined` of a day that has none. */
export const certificateHash = Effect.fnUntraced(function* (dataDir: string, day: string) {
  const text = yield* readWhole(join(dataDir, day, certificateFiles.json))
  return text === undefined ? undefined : sha256Of(Buffer.from(text))
})

/** Holds a day's certificate against its own checksums, the journal's word of it, and the manifest against both. */
export const verifyCertificate = Effect.fn("verify.certificate")(function* (
  dataDir: string,
  { day, manifest }: DayLists,
  onRecord: OnRecord | undefined
) {
  const problems: Array<Problem> = []
  const found = yield* readCertificate(dataDir, day, problems)
  const file = `${day}/${certificateFiles.json}`
  const wrong = (problem: string) =>
    void problems.push({ kind: "certificate", file, problem, remedy: fromBackup(file) })
  const signed = found?.certificate
  const manifestFile = `${day}/MANIFEST.jsonl`
  const changed = (problem: string) =>
    void problems.push({
      kind: "manifest",
      file: manifestFile,
      problem,
      remedy: fromBackup(`${manifestFile} and the file`)
    })

  if (signed !== undefined) {
    const { sha256 } = signatureOf(signed.files)
    if (sha256 !== signed.manifest.sha256) wrong("the files in it are not those it signs")
    differences(signed.files, manifest).forEach(changed)
  }
  if (onRecord !== undefined) {
    const { marker, receivedAt } = onRecord
    // Certified again with no observer running, it is newer than the journal's word.
    const isNewer = signed !== undefined && signed.madeAt > receivedAt
    if (found === undefined) wrong(`it is not there; the journal has it, made ${receivedAt}`)
    else if (found.sha256 !== marker.certificateSha256 && !isNewer)
      wrong("it is not the one that the journal has on record")
    const lines = [...manifest.values()].filter(({ lastSeq }) => lastSeq <= marker.throughSeq)
    const isOneNode = new Set(lines.map(({ node }) => node)).size <= 1
    if (
      isOneNode &&
      signatureOf(lines).sha256 !== marker.manifestSha256 &&
      problems.every(({ kind }) => kind !== "manifest")
    ) {
      changed(
        `it is not the one that was certified on ${marketDate(Date.parse(receivedAt))}: the hash on record is another`
      )
    }
  }
  return {
    problems,
    isCertified: found !== undefined,
    isOnRecord: onRecord?.marker.certificateSha256 === found?.sha256
  }
})
