import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { RecordDraft } from "../../../src/domain/JournalRecord.ts"
import { Disk } from "../../../src/journal/Disk.ts"
import { signatureOf } from "../../../src/journal/Signature.ts"
import { verifyArchive } from "../../../src/journal/Verify.ts"
import type { Certificate } from "../../../src/ops/certificate/Certificate.ts"
import { certifyDay, type CertifyOptions } from "../../../src/ops/certificate/certifyDay.ts"
import { noRows } from "../../../src/ops/certificate/rowCount.ts"
import { sha256, writeArchive } from "../../support/archive.ts"
import { clockOf, gapOf, inOrder, marker, minuteMarker, quotes, universeAt } from "../../support/archivedDay.ts"
import { scratchFolder } from "../../support/virtualTime.ts"

const day = "20261124"
const at = clockOf(day)
const node = "seoul-1"
const whyNot = "no database in this test"

const certified = (dataDir: string, options: Partial<CertifyOptions> = {}) =>
  certifyDay({
    dataDir,
    day,
    version: "1.2.3",
    mode: "calendar",
    nowMs: at("2005"),
    rows: noRows(whyNot),
    ...options
  })

const phaseOf = (certificate: Certificate, symbol: string, phase: string) =>
  certificate.symbols.find((each) => each.symbol === symbol)?.phases.find((each) => each.phase === phase)

/** A whole day of some symbols, from the observer's start in the morning. */
const wholeDay = (dataDir: string, codes: ReadonlyArray<string>, more: ReadonlyArray<RecordDraft> = []) =>
  inOrder([
    marker(at("0730"), { event: "start" }),
    universeAt(dataDir, day, at("0740"), codes),
    ...quotes(codes, at("0800"), at("2000")),
    ...more
  ])

const inScratch = <A, E>(use: (folder: string) => Effect.Effect<A, E, Disk>) =>
  Effect.flatMap(scratchFolder, use).pipe(Effect.provide(Disk.layer), Effect.scoped)

describe("the certificate of a day", () => {
  it.live("says of a day without a hole that it is complete, and can be checked with what is on any machine", () =>
    inScratch((folder) =>
      Effect.gen(function* () {
        const codes = ["005930", "000660", "0001"]
        const sealed = writeArchive(folder, wholeDay(folder, codes), { node, isPacked: (index) => index % 2 === 0 })
        const { certificate, certificateSha256, file } = yield* certified(folder)
        assert.deepStrictEqual(
          [certificate.verdict, certificate.reasons],
          ["complete", ["All of 3 symbols was observed in every phase."]]
        )
        assert.deepStrictEqual(
          certificate.coverage.phases.map(({ actual_seconds, expected_seconds, phase, records, symbols, whole }) => [
            phase,
            symbols,
            whole,
            expected_seconds,
            actual_seconds,
            records
          ]),
          [
            ["preOpen", 3, 3, 5_400, 5_400, { quote: 60, index: 30 }],
            ["openingAuction", 3, 3, 5_400, 5_400, { quote: 60, index: 30 }],
            ["continuous", 3, 3, 68_400, 68_400, { quote: 760, index: 380 }],
            ["closingAuction", 3, 3, 1_800, 1_800, { quote: 20, index: 10 }],
            ["afterClose", 3, 3, 5_400, 5_400, { quote: 60, index: 30 }],
            ["afterMarket", 3, 3, 43_200, 43_200, { quote: 480, index: 240 }]
          ]
        )
        assert.deepStrictEqual(certificate.sql, { compared: false, why: whyNot })
        assert.deepStrictEqual(certificate.conservation, { recorded: false })
        assert.deepStrictEqual(certificate.staleness, { recorded: false })
        assert.deepStrictEqual(certificate.manifest, signatureOf(sealed.map(({ line }) => line)))
        assert.strictEqual(certificate.manifest.files, sealed.length)
        assert.strictEqual(certificate.manifest.throughSeq, 2_162)
        assert.strictEqual(file, "2026/11/24/CERTIFICATE.json")
        const [json, html] = ["json", "html"].map((form) =>
          readFileSync(join(folder, `2026/11/24/CERTIFICATE.${form}`))
        )
        assert.isDefined(json)
        assert.isDefined(html)
        assert.deepStrictEqual(JSON.parse(json.toString("utf8")), certificate)
        assert.strictEqual(certificateSha256, sha256(json))
        assert.strictEqual(
          readFileSync(join(folder, "2026/11/24/CERTIFICATE.sha256"), "utf8"),
          `${sha256(json)}  CERTIFICATE.json\n${sha256(html)}  CERTIFICATE.html\n`
        )
        assert.deepStrictEqual((yield* verifyArchive({ dataDir: folder })).problems, [])
      })
    )
  )

  it.live(
    "counts to the second what is missing of whom, by phase and cause, what was repaired, lost, rejected and balanced",
    () =>
      inScratch((folder) =>
        Effect.gen(function* () {
          const hole = { symbol: "005930", cause: "disconnect" as const }
          const repair = { source: "backfill" as const, call: "x", trades: 4, volume: 40, complete: true }
          const lost = { symbol: "000660", cause: "continuity" as const, lostVolume: 500, lostTrades: 3 }
          const late = { source: "late" as const, trades: 1, volume: 100, complete: false }
          const reject = (reason: string): RecordDraft => ({
            kind: "reject",
            receivedAtMs: at("0930"),
            source: "kis-ws",
            payload: { reason, raw: "" }
          })
          const drafts = wholeDay(
            folder,
            ["005930", "000660", "0001"],
            [
              // Two holes of one symbol that overlap, over the change of a phase.
              gapOf(at("1521"), at("151900"), at("152030"), hole),
              gapOf(at("1521"), at("152020"), at("152040"), { ...hole, cause: "silence" }),
              // One that was filled, and one of a trade that nobody found whole.
              gapOf(at("1102"), at("1100"), at("1102"), { ...hole, symbol: "000660" }),
              gapOf(at("1103"), at("1100"), at("1102"), { ...hole, symbol: "000660", repairedBy: repair }),
              gapOf(at("103005"), at("103000"), at("103005"), lost),
              gapOf(at("103105"), at("103000"), at("103005"), {
                symbol: "000660",
                cause: "continuity",
                repairedBy: late
              }),
              // Everybody, for half a minute.
              gapOf(at("130030"), at("130000"), at("130030"), { cause: "downtime" }),
              // Wanted, and never seen; wanted until noon.
              universeAt(folder, day, at("1200"), ["005930", "000660", "0001", "035720"]),
              gapOf(at("080001"), at("080001"), at("080001"), { symbol: "0001", cause: "notCovered" }),
              reject("zeroPrice"),
              reject("zeroPrice"),
              reject("frameShape"),
              minuteMarker(at("0901"), at("0901"), "kis-ws", {
                received: 10,
                stored: 7,
                rejected: 1,
                deduplicated: 1,
                inFlight: 1
              }),
              minuteMarker(at("0902"), at("0901"), "kis-ws", {
                received: 5,
                stored: 6,
                rejected: 0,
                deduplicated: 0,
                inFlight: 0
              }),
              marker(at("2000"), { event: "coverage", symbols: 3, lateSymbols: 1, late: [{ symbol: "005930" }] })
            ]
          )
          writeArchive(folder, drafts, { node })
          const { certificate } = yield* certified(folder)
          const { coverage, gaps, reasons, verdict } = certificate

          const auction = phaseOf(certificate, "005930", "closingAuction")
          assert.deepInclude(auction, { expected_seconds: 600, actual_seconds: 560, repaired_seconds: 0 })
          const trading = phaseOf(certificate, "005930", "continuous")
          assert.deepInclude(trading, { expected_seconds: 22_800, actual_seconds: 22_800 - 60 - 30 })
          const other = phaseOf(certificate, "000660", "continuous")
          assert.deepInclude(other, { actual_seconds: 22_800 - 5 - 120 - 30, repaired_seconds: 120 })
          // The broker did not answer for it until its next quote, a minute after the open.
          assert.deepInclude(phaseOf(certificate, "0001", "preOpen"), {
            expected_seconds: 1_800,
            actual_seconds: 1_741
          })
          const unseen = phaseOf(certificate, "035720", "continuous")
          assert.deepInclude(unseen, { expected_seconds: 12_000, actual_seconds: 0, records: {} })
          assert.deepStrictEqual(certificate.universe.unseen, 1)

          assert.deepStrictEqual(
            gaps.causes.find(({ cause }) => cause === "continuity"),
            {
              cause: "continuity",
              gaps: 1,
              symbols: 1,
              seconds: 5,
              missing: { gaps: 1, symbols: 1, seconds: 5 },
              repaired: 0,
              partlyRepaired: 1,
              lostVolume: 500,
              lostTrades: 3
            }
          )
          assert.deepInclude(
            gaps.causes.find(({ cause }) => cause === "disconnect"),
            { gaps: 2, symbols: 2, seconds: 210, repaired: 1 }
          )
          assert.deepStrictEqual(
            [gaps.lostVolume, gaps.lostTrades, gaps.foundVolume, gaps.foundTrades],
            [500, 3, 100, 1]
          )
          assert.deepStrictEqual(certificate.rejects, { frameShape: 1, zeroPrice: 2 })
          assert.deepStrictEqual(certificate.conservation, {
            recorded: true,
            minutes: 2,
            runs: 1,
            holds: true,
            sources: {
              "kis-ws": { received: 15, stored: 13, rejected: 1, deduplicated: 1, inFlight: 0, untold: 0, remainder: 0 }
            }
          })
          assert.deepInclude(certificate.staleness, { recorded: true, lateSymbols: 1 })

          const expected = 3 * 43_200 + 28_800
          const missing = 28_800 + 100 + 3 * 30 + 5 + 59
          assert.deepStrictEqual(
            [coverage.expected_seconds, coverage.repaired_seconds, coverage.actual_seconds],
            [expected, 120, expected - missing - 120]
          )
          assert.strictEqual(verdict, "incomplete")
          assert.deepStrictEqual(reasons, [
            "Only 81.657 % of what was to be observed was, repairs included.",
            "1 hole because the stream was cut: 1 symbol, 90 s in all.",
            "1 hole because the broker does not answer for a symbol: 1 symbol, 59 s in all.",
            "1 hole because the observer did not run: all symbols, 30 s in all.",
            "1 hole because a stream was silent: 1 symbol, 20 s in all.",
            "1 hole because trades are missing in a live stream: 1 symbol, 5 s in all, 1 of them partly filled.",
            "2 trades and 400 shares are known to be lost.",
            "Nothing at all is recorded of 1 symbol: 035720."
          ])
          const bins = certificate.timeline.bins
          assert.strictEqual(
            bins.reduce((sum, each) => sum + each.missing_seconds, 0),
            missing
          )
          assert.strictEqual(
            bins.reduce((sum, each) => sum + each.expected_seconds, 0),
            expected
          )
        })
      )
  )

  it.live("is complete but for what is named when little is missing", () =>
    inScratch((folder) =>
      Effect.gen(function* () {
        const hole = { symbol: "005930", cause: "disconnect" as const }
        writeArchive(folder, wholeDay(folder, ["005930", "0001"], [gapOf(at("1002"), at("1000"), at("1002"), hole)]), {
          node
        })
        const { certificate } = yield* certified(folder)
        assert.deepStrictEqual(
          [certificate.verdict, certificate.reasons],
          ["completeButFor", ["1 hole because the stream was cut: 1 symbol, 120 s in all."]]
        )
        assert.deepStrictEqual(certificate.gaps.holes, [
          { from: "2026-11-24T01:00:00.000Z", to: "2026-11-24T01:02:00.000Z", seconds: 120, ...hole }
        ])
      })
    )
  )

  it.live(
    "knows of times in which nothing was written and nothing says why, and of the downtime that the next start told",
    () =>
      inScratch((folder) =>
        Effect.gen(function* () {
          const codes = ["005930"]
          const next = clockOf("20261125")
          const drafts = inOrder([
            universeAt(folder, day, at("0905"), codes),
            ...quotes(codes, at("0905"), at("1100")),
            ...quotes(codes, at("1130"), at("1400"))
          ])
          writeArchive(folder, drafts, { node })
          const alone = yield* certified(folder)
          assert.deepStrictEqual(
            [alone.certificate.verdict, ...alone.certificate.reasons],
            [
              "incomplete",
              "Nothing was written from 08:00:00 to 09:05:00, and no gap says why.",
              "Nothing was written from 10:59:00 to 11:30:00, and no gap says why.",
              "Nothing was written from 13:59:00 to 20:00:00, and no gap says why.",
              "Only 36.527 % of what was to be observed was, repairs included."
            ]
          )
          const started = [
            marker(next("0750"), { event: "start" }),
            gapOf(next("0750"), at("1359"), at("2000"), { cause: "downtime" })
          ]
          writeArchive(folder, started, { node, firstSeq: drafts.length + 1 })
          const { certificate } = yield* certified(folder, { nowMs: next("0800") })
          assert.deepStrictEqual(certificate.reasons.slice(0, 4), [
            "Nothing was written from 08:00:00 to 09:05:00, and no gap says why.",
            "Nothing was written from 10:59:00 to 11:30:00, and no gap says why.",
            "Only 36.527 % of what was to be observed was, repairs included.",
            "1 hole because the observer did not run: all symbols, 21,660 s in all."
          ])
        })
      )
  )

  it.live(
    "is not complete while rows are missing, too many, or yet to be stored, and is where they are let go of",
    () =>
      inScratch((folder) =>
        Effect.gen(function* () {
          writeArchive(folder, wholeDay(folder, ["005930"]), { node })
          const none = { rows: 0, incidents: 0 }
          const even = {
            compared: true as const,
            lines: 720,
            rows: 720,
            refused: 0,
            incidentLines: 2,
            incidentRows: 2,
            missing: none,
            surplus: none,
            differing_hours: 0,
            waiting: 0,
            hours: [],
            older: 0
          }
          const judged = (more: Partial<typeof even> & { readonly keptFrom?: string }) =>
            Effect.map(
              certified(folder, { rows: { see: () => undefined, result: () => Effect.succeed({ ...even, ...more }) } }),
              ({ certificate: { reasons, verdict } }) => [verdict, ...reasons]
            )
          const complete = ["complete", "All of 1 symbol was observed in every phase."]
          assert.deepStrictEqual(yield* judged({}), complete)
          assert.deepStrictEqual(
            yield* judged({
              missing: { rows: 5, incidents: 1 },
              surplus: { rows: 5, incidents: 0 },
              differing_hours: 1,
              waiting: 7
            }),
            [
              "completeButFor",
              "The database lacks 5 rows and 1 gap or reject that the files have (observer replay adds them).",
              "The database has 5 rows that no line is for.",
              "The database has rows of other records than the files' in 1 hour (observer replay adds the right ones).",
              "7 lines had yet to be stored in the database when this was made."
            ]
          )
          assert.deepStrictEqual(yield* judged({ older: 720, keptFrom: "2026-11-24T15:00:00.000Z" }), complete)
          const page = readFileSync(join(folder, "2026/11/24/CERTIFICATE.html"), "utf8")
          // What a browser obeys over HTTP is one style by its hash: any other would be left out of what people see.
          assert.strictEqual(page.match(/<style>[^<]+<\/style>/g)?.length, 1)
          assert.notMatch(page, /<style[^>]|\sstyle=|<script|\son\w+=/)
          assert.include(page, "720 lines older than the database keeps, which is from 2026-11-25 on")
        })
      )
  )

  it.live("says that a day was not over, that its files are damaged, that nothing says what was wanted", () =>
    inScratch((folder) =>
      Effect.gen(function* () {
        const codes = ["005930"]
        writeArchive(folder, inOrder(quotes(codes, at("0800"), at("1000"))), { node })
        const early = yield* certified(folder, { nowMs: at("1000") })
        assert.deepStrictEqual(
          [early.certificate.verdict, ...early.certificate.reasons],
          ["incomplete", "The day was not over when this was made.", "No dated universe says what was to be observed."]
        )
        const file = "2026/11/24/09/seoul-1-000000000061.jsonl"
        writeFileSync(join(folder, file), readFileSync(join(folder, file), "utf8").replace("70000", "70001"))
        const { certificate } = yield* certified(folder)
        assert.strictEqual(certificate.verdict, "damaged")
        assert.match(certificate.reasons[0] ?? "", new RegExp(`^${file}: its content is not what was sealed`))
      })
    )
  )

  it.live(
    "is found out when it, a file with its line of the manifest, or any value of that line is changed afterwards",
    () =>
      inScratch((folder) =>
        Effect.gen(function* () {
          const [, sealed] = writeArchive(folder, wholeDay(folder, ["005930"]), { node })
          assert.isDefined(sealed)
          yield* certified(folder)
          const problems = Effect.map(verifyArchive({ dataDir: folder }), (report) =>
            report.problems.map(({ file, kind, problem }) => `${kind} ${file}: ${problem}`)
          )
          assert.deepStrictEqual(yield* problems, [])
          const [manifest, sums, data, json] = [
            "MANIFEST.jsonl",
            "SHA256SUMS",
            sealed.line.file,
            "CERTIFICATE.json"
          ].map((name) => join(folder, "2026/11/24", name)) as [string, string, string, string]
          const text = readFileSync(manifest, "utf8")

          writeFileSync(manifest, text.replace(sealed.line.sealedAt, "2026-11-24T10:00:00.000Z"))
          assert.match(
            (yield* problems).join("\n"),
            /^manifest 2026\/11\/24\/MANIFEST\.jsonl: sealedAt of 0.* is not what was certified/
          )

          // The forger changes a price, and everything that says what the file was.
          const bytes = readFileSync(data, "utf8").replace("70000", "70001")
          writeFileSync(data, bytes)
          writeFileSync(manifest, text.replace(sealed.line.sha256, sha256(bytes)))
          writeFileSync(sums, readFileSync(sums, "utf8").replace(sealed.line.sha256, sha256(bytes)))
          assert.match(
            (yield* problems).join("\n"),
            /^manifest 2026\/11\/24\/MANIFEST\.jsonl: sha256 of 0.* is not what was certified/
          )

          // And then the certificate, too.
          writeFileSync(json, readFileSync(json, "utf8").replaceAll(sealed.line.sha256, sha256(bytes)))
          assert.match(
            (yield* problems).join("\n"),
            /^certificate .*CERTIFICATE\.json: it was changed since it was made/
          )
          assert.match((yield* problems).join("\n"), /the files in it are not those it signs/)
        })
      )
  )

  it.live("is found out by the journal's word when the forger makes a new certificate that fits", () =>
    inScratch((folder) =>
      Effect.gen(function* () {
        const drafts = wholeDay(folder, ["005930"])
        const [, sealed] = writeArchive(folder, drafts, { node })
        assert.isDefined(sealed)
        const { certificate, certificateSha256, file } = yield* certified(folder)
        const { files, sha256: manifestSha256, throughSeq } = certificate.manifest
        const { day: certifiedDay, verdict } = certificate
        const said = {
          event: "certified",
          day: certifiedDay,
          manifestSha256,
          certificateSha256,
          verdict,
          file,
          files,
          throughSeq
        }
        writeArchive(folder, [marker(at("2006"), said)], { node, firstSeq: drafts.length + 1 })
        const honest = yield* verifyArchive({ dataDir: folder })
        assert.deepStrictEqual([honest.problems, honest.certified], [[], [{ day: "2026-11-24", isOnRecord: true }]])

        const inDay = (name: string) => join(folder, "2026/11/24", name)
        const change = (name: string, edit: (text: string) => string) =>
          writeFileSync(inDay(name), edit(readFileSync(inDay(name), "utf8")))
        const before = sealed.line.sha256
        change(sealed.line.file, (text) => text.replace("70000", "70001"))
        const after = sha256(readFileSync(inDay(sealed.line.file)))
        for (const name of ["MANIFEST.jsonl", "SHA256SUMS", "CERTIFICATE.json"]) {
          change(name, (text) => text.replaceAll(before, after))
        }
        const lines = certificate.files.map((line) => (line.sha256 === before ? { ...line, sha256: after } : line))
        change("CERTIFICATE.json", (text) => text.replaceAll(manifestSha256, signatureOf(lines).sha256))
        change("CERTIFICATE.sha256", (text) =>
          text.replace(certificateSha256, sha256(readFileSync(inDay("CERTIFICATE.json"))))
        )
        const { certified: still, problems } = yield* verifyArchive({ dataDir: folder })
        assert.deepStrictEqual(
          problems.map(({ file: of, problem }) => [of, problem]),
          [
            ["2026/11/24/CERTIFICATE.json", "it is not the one that the journal has on record"],
            [
              "2026/11/24/MANIFEST.jsonl",
              "it is not the one that was certified on 20261124: the hash on record is another"
            ]
          ]
        )
        assert.deepStrictEqual(still, [{ day: "2026-11-24", isOnRecord: false }])
      })
    )
  )
})
