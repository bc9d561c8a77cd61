import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { origin } from "../../src/journal/Position.ts"
import { recover } from "../../src/journal/Recovery.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { checkArchive, chunk, line, node, numberOf, openJournal, openMs, seen, tempFolder } from "./fixtures.ts"

const day = "2026/11/24"
const segment = `${day}/09/seoul-1-000000000001.jsonl`
const whole = `${[1, 2, 3].map((n) => line(seen(n), n)).join("\n")}\n`
const fourth = line(seen(4), 4)

/** What a start finds of a disk, and that it has then a whole archive of the first `kept` things seen and goes on. */
const restart = Effect.fnUntraced(function* (disk: MemoryDisk, kept: number) {
  yield* TestClock.setTime(openMs + 60_000)
  const journal = yield* openJournal(disk.root)
  assert.strictEqual((yield* journal.head).seq, kept)
  assert.deepStrictEqual(yield* journal.append(chunk(kept + 1, 2)), { first: kept + 1, last: kept + 2 })
  yield* journal.close
  assert.deepStrictEqual(
    checkArchive(disk.files()).map(numberOf),
    chunk(1, kept + 2).map((_, index) => index + 1)
  )
  return journal.recovered
})

/** A disk with some files on it. */
const diskWith = Effect.fnUntraced(function* (files: Readonly<Record<string, Uint8Array | string>>) {
  const disk = new MemoryDisk(yield* tempFolder)
  for (const [path, bytes] of Object.entries(files)) disk.put(path, Buffer.from(bytes))
  return disk
})

const starting = <A, E, R>(
  files: Readonly<Record<string, Uint8Array | string>>,
  use: (disk: MemoryDisk) => Effect.Effect<A, E, R>
) => Effect.flatMap(diskWith(files), (disk) => Effect.provide(use(disk), disk.layer))

describe("a start", () => {
  it.effect("without a past begins with 1 and has nothing to tell", () =>
    starting({}, (disk) =>
      Effect.gen(function* () {
        const recovered = yield* restart(disk, 0)
        assert.deepStrictEqual(recovered, {
          head: origin,
          lastReceivedAt: undefined,
          unclean: false,
          quarantined: []
        })
      })
    )
  )

  it.effect("after a kill seals the file that was being written, and says when the last record was received", () =>
    starting({ [`${segment}.open`]: whole }, (disk) =>
      Effect.gen(function* () {
        const { head, lastReceivedAt, quarantined, unclean } = yield* restart(disk, 3)
        assert.deepStrictEqual(head, { seq: 3, file: segment, byteOffset: Buffer.byteLength(whole) })
        assert.deepStrictEqual([unclean, quarantined], [true, []])
        assert.strictEqual(lastReceivedAt, new Date(openMs + 3).toISOString())
      })
    )
  )

  it.effect(
    "finds the holes that were open at the end, in as many files as the last two minutes of the record fill",
    () => {
      const gap = (symbol: string, atMs: number, open: boolean): RecordDraft => ({
        kind: "gap",
        symbol,
        receivedAtMs: openMs + atMs,
        source: "observer",
        payload: {
          from: new Date(openMs).toISOString(),
          to: new Date(openMs + atMs).toISOString(),
          cause: "disconnect",
          ...(open ? { open: true } : {})
        }
      })
      const files = [
        [seen(1), gap("000001", 100, true)],
        [gap("000002", 170_000, true), gap("000003", 200_000, true), gap("000004", 200_000, true)],
        [gap("000003", 260_000, true), gap("000002", 261_000, false), seen(300_000)],
        [seen(300_001)]
      ]
      let seq = 0
      const lines = files.map((drafts) => ({
        first: seq + 1,
        text: drafts.map((draft) => `${line(draft, ++seq)}\n`).join("")
      }))
      const name = (first: number) => `${day}/09/seoul-1-${String(first).padStart(12, "0")}.jsonl`
      return starting(
        Object.fromEntries(lines.map(({ first, text }, at) => [`${name(first)}${at === 3 ? ".open" : ""}`, text])),
        (disk) =>
          Effect.gen(function* () {
            const { openGaps = [] } = (yield* openJournal(disk.root)).recovered
            assert.deepStrictEqual(
              openGaps.map(({ payload, symbol }) => [
                symbol,
                Date.parse(String((payload as { to?: string }).to)) - openMs
              ]),
              [
                ["000003", 260_000],
                ["000004", 200_000]
              ]
            )
          })
      )
    }
  )

  const zeros = Buffer.alloc(5_000)
  const longLine = line(seen(4, "x".repeat(3_000_000)), 4)
  it.each([
    ["half a line", fourth.slice(0, 100), 3],
    ["a line without its newline", fourth, 3],
    ["half a letter", Buffer.from(line(seen(4, "값"), 4)).subarray(0, -5), 3],
    ["a power cut's zeros", zeros, 3],
    ["half a line and zeros", Buffer.concat([Buffer.from(fourth.slice(0, 50)), zeros]), 3],
    ["a line with zeros in it", `${fourth.slice(0, 60)}${"\0".repeat(9)}${fourth.slice(69)}\n`, 3],
    ["a line that is not its turn", `${line(seen(5), 5)}\n`, 3],
    ["a line of another kind", "nonsense\n", 3],
    ["an empty line", "\n", 3],
    ["a line of another version", `${fourth.replace(`"v":1`, `"v":2`)}\n`, 3],
    ["a whole line longer than a block, and half of one", `${longLine}\n${line(seen(5), 5).slice(0, 40)}`, 4],
    ["half of a line longer than a block", longLine.slice(0, 2_500_000), 3]
  ] as const)("cuts %s at the end into quarantine, and goes on", (_, tail, kept) =>
    Effect.runPromise(
      starting({ [`${segment}.open`]: Buffer.concat([Buffer.from(whole), Buffer.from(tail)]) }, (disk) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(openMs + 60_000)
          const before = Buffer.concat([Buffer.from(whole), Buffer.from(tail)])
          const { quarantined, unclean } = yield* Effect.provide(recover(disk.root, node, openMs), disk.layer)
          assert.isTrue(unclean)
          const [torn] = quarantined
          const from = before.length - (torn?.bytes ?? 0)
          assert.strictEqual(torn?.file, segment)
          assert.strictEqual(from, kept === 3 ? Buffer.byteLength(whole) : Buffer.byteLength(`${whole}${longLine}\n`))
          assert.deepStrictEqual(disk.files().get(torn?.quarantine ?? ""), before.subarray(from))
          assert.strictEqual(disk.files().get(segment)?.length, from)
          const again = yield* Effect.provide(recover(disk.root, node, openMs), disk.layer)
          assert.deepStrictEqual([again.head.seq, again.unclean, again.quarantined], [kept, false, []])
        })
      ).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
    )
  )

  it.effect("keeps a whole line whatever stands in it: what was acknowledged is never thrown away", () =>
    starting({ [`${segment}.open`]: `${whole}${fourth.replace(/"price":\d+/, `"price":null`)}\n` }, (disk) =>
      Effect.gen(function* () {
        const { head, lastReceivedAt, quarantined } = yield* Effect.provide(
          recover(disk.root, node, openMs),
          disk.layer
        )
        assert.deepStrictEqual([head.seq, quarantined], [4, []])
        assert.strictEqual(lastReceivedAt, new Date(openMs + 4).toISOString())
        assert.isTrue(disk.files().has(segment))
      })
    )
  )

  it.effect("removes a file that never held a record", () =>
    starting({ [`${segment}.open`]: "" }, (disk) =>
      Effect.gen(function* () {
        const recovered = yield* restart(disk, 0)
        assert.deepStrictEqual([recovered.unclean, recovered.quarantined], [true, []])
      })
    )
  )

  it.effect("puts a file that holds nothing but a torn line into quarantine", () =>
    starting({ [`${segment}.open`]: line(seen(1), 1).slice(0, 80) }, (disk) =>
      Effect.gen(function* () {
        const { quarantined } = yield* restart(disk, 0)
        assert.strictEqual(
          disk
            .files()
            .get(quarantined[0]?.quarantine ?? "")
            ?.toString(),
          line(seen(1), 1).slice(0, 80)
        )
      })
    )
  )

  it.effect("enters a file that was sealed and not entered", () =>
    starting({ [segment]: whole }, (disk) =>
      Effect.gen(function* () {
        const recovered = yield* restart(disk, 3)
        assert.deepStrictEqual([recovered.unclean, recovered.quarantined], [false, []])
      })
    )
  )

  it.effect("mends a manifest and checksums whose last line is torn", () =>
    starting({ [`${segment}.open`]: whole }, (disk) =>
      Effect.gen(function* () {
        yield* Effect.scoped(restart(disk, 3))
        const files = disk.files()
        for (const name of ["MANIFEST.jsonl", "SHA256SUMS"]) {
          const bytes = files.get(`${day}/${name}`) ?? Buffer.alloc(0)
          disk.put(`${day}/${name}`, bytes.subarray(0, bytes.length - 20))
        }
        yield* restart(disk, 5)
      })
    )
  )

  it.effect("mends checksums that are missing what the manifest has", () =>
    starting({ [`${segment}.open`]: whole }, (disk) =>
      Effect.gen(function* () {
        yield* Effect.scoped(restart(disk, 3))
        disk.put(`${day}/SHA256SUMS`, Buffer.alloc(0))
        yield* restart(disk, 5)
      })
    )
  )

  it.effect("believes the manifest of a file that was damaged later, so that no seq is given twice", () =>
    starting({ [`${segment}.open`]: whole }, (disk) =>
      Effect.gen(function* () {
        yield* Effect.scoped(restart(disk, 3))
        disk.put(`${day}/09/seoul-1-000000000004.jsonl`, Buffer.from("damaged"))
        const journal = yield* openJournal(disk.root)
        assert.strictEqual((yield* journal.append([seen(6)])).first, 6)
      })
    )
  )

  it.effect("does not take another node's files for its own", () =>
    starting({ [`${day}/09/busan-000000000700.jsonl.open`]: "busan writes here" }, (disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root)
        assert.strictEqual((yield* journal.append([seen(1)])).first, 1)
        assert.strictEqual(disk.files().get(`${day}/09/busan-000000000700.jsonl.open`)?.toString(), "busan writes here")
      })
    )
  )

  it.effect("looks at the newest days alone, however long the archive", () =>
    starting({}, (disk) =>
      Effect.gen(function* () {
        let seq = 1
        for (let month = 1; month <= 11; month++) {
          for (let date = 10; date <= 20; date++) {
            const file = `2026/${String(month).padStart(2, "0")}/${date}/09/seoul-1-${String(seq).padStart(12, "0")}.jsonl`
            disk.put(file, Buffer.from(`${line(seen(seq), seq)}\n`))
            seq += 1
          }
        }
        const reads: Array<string> = []
        disk.fault = ({ operation, path }) => void (operation === "read" && reads.push(path))
        const journal = yield* openJournal(disk.root)
        assert.strictEqual((yield* journal.head).seq, seq - 1)
        assert.isTrue(
          reads.every((path) => /2026\/11\/(18|19|20)\//.test(path)),
          reads.join(" ")
        )
      })
    )
  )
})
