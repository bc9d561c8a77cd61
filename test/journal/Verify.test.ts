import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { Disk } from "../../src/journal/Disk.ts"
import { verifyArchive } from "../../src/journal/Verify.ts"
import { seeded, sha256, writeArchive } from "../support/archive.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { chunk, machineDisk, node, openJournal, openMs, seen } from "./fixtures.ts"
import { type Damage, damages, pathOf, type Sealed } from "./verify/damages.ts"

/** A random archive of one or two nodes over one to three days, some files of it packed, the last perhaps still open. */
const randomArchive = (dataDir: string, seed: number) => {
  const random = seeded(seed)
  const sealed = []
  for (const each of random() < 0.3 ? [node, "busan-2"] : [node]) {
    let atMs = openMs
    const drafts = Array.from({ length: 20 + Math.floor(random() * 300) }, (_, index) => {
      atMs += Math.floor(random() * (random() < 0.02 ? 30_000_000 : 60_000))
      return { ...seen(index, "x".repeat(Math.floor(random() * 300))), receivedAtMs: atMs }
    })
    sealed.push(
      ...writeArchive(dataDir, drafts, {
        node: each,
        firstSeq: 1 + Math.floor(random() * 3) * 1_000,
        lines_max: 5 + Math.floor(random() * 80),
        isPacked: () => random() < 0.4,
        isOpen: random() < 0.5
      })
    )
  }
  return { sealed, random }
}

const verified = (dataDir: string) => verifyArchive({ dataDir })

/** Seals a file of one node with the lines it is given, whatever they are. */
const sealAsIs = (dataDir: string, text: string) => {
  const file = "09/other-000000000001.jsonl"
  const day = join(dataDir, "2026/11/24")
  const receivedAt = new Date(openMs).toISOString()
  const line = {
    file,
    node: "other",
    firstSeq: 1,
    lastSeq: 3,
    lines: 3,
    bytes: Buffer.byteLength(text),
    sha256: sha256(text)
  }
  writeFileSync(join(day, file), text)
  const times = { firstReceivedAt: receivedAt, lastReceivedAt: receivedAt, sealedAt: receivedAt }
  writeFileSync(join(day, "MANIFEST.jsonl"), `${JSON.stringify({ ...line, ...times })}\n`)
  writeFileSync(join(day, "SHA256SUMS"), `${sha256(text)}  ${file}\n`)
}

describe("verify", () => {
  it.live("accuses no archive that a journal has made, whether it is closed or still written", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      yield* Effect.gen(function* () {
        const journal = yield* openJournal(folder, { segment_bytes: 4_000 })
        for (let n = 0; n < 20; n++) yield* journal.append(chunk(n * 10, 10))
        const open = yield* verified(folder)
        assert.deepStrictEqual([open.problems, open.lines], [[], 200])
        assert.match(open.notes.join(), /\.open is being written/)
        yield* journal.close
        const closed = yield* verified(folder)
        assert.deepStrictEqual([closed.problems, closed.notes, closed.lines], [[], [], 200])
        assert.deepStrictEqual(closed.stretches, [{ node, first: 1, last: 200 }])
      }).pipe(Effect.scoped)
    }).pipe(Effect.provide(machineDisk))
  )

  it.live(
    "accuses no undamaged archive, and finds any single damage to any file of it",
    () =>
      Effect.forEach(
        Array.from({ length: 40 }, (_, index) => index + 1),
        Effect.fnUntraced(function* (seed) {
          const folder = yield* scratchFolder
          const { random, sealed } = randomArchive(folder, seed)
          assert.deepStrictEqual((yield* verified(folder)).problems, [], `seed ${seed}`)
          const victim = sealed[Math.floor(random() * sealed.length)]
          if (victim === undefined) return
          const fitting = damages.filter(({ fits }) => fits?.(victim) ?? true)
          for (const damage of [0, 1, 2].flatMap(() => fitting[Math.floor(random() * fitting.length)] ?? [])) {
            const copy = yield* scratchFolder
            cpSync(folder, copy, { recursive: true })
            yield* accuses(copy, damage, victim, random, `seed ${seed}: ${damage.name}`)
          }
        }),
        { concurrency: 8, discard: true }
      ).pipe(Effect.provide(Disk.layer), Effect.scoped),
    120_000
  )

  for (const damage of damages) {
    it.live(`names ${damage.name} and the file`, () =>
      Effect.gen(function* () {
        for (const isPacked of [false, true]) {
          const folder = yield* scratchFolder
          const drafts = Array.from({ length: 90 }, (_, index) => ({
            ...seen(index),
            receivedAtMs: openMs + index * 60_000
          }))
          const sealed = writeArchive(folder, drafts, { node, lines_max: 20, isPacked: () => isPacked })
          const victim = sealed[2]
          assert.isDefined(victim)
          if (damage.fits?.(victim) ?? true) yield* accuses(folder, damage, victim, seeded(7), `packed: ${isPacked}`)
        }
      }).pipe(Effect.provide(Disk.layer), Effect.scoped)
    )
  }

  it.live("names numbers that no file has, and numbers that two have", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      writeArchive(folder, chunk(0, 10), { node, lines_max: 5 })
      writeArchive(folder, chunk(20, 10), { node, firstSeq: 14 })
      writeArchive(folder, chunk(40, 4), { node, firstSeq: 22 })
      const { problems } = yield* verified(folder)
      assert.deepStrictEqual(
        problems.map(({ file, kind, problem }) => [kind, file, problem]),
        [
          [
            "missingRange",
            "2026/11/24/09/seoul-1-000000000014.jsonl",
            "seq 11–13 of seoul-1 are in no file, after 2026/11/24/09/seoul-1-000000000006.jsonl"
          ],
          [
            "doubledRange",
            "2026/11/24/09/seoul-1-000000000022.jsonl",
            "seq 22–23 of seoul-1 are in 2026/11/24/09/seoul-1-000000000014.jsonl too"
          ]
        ]
      )
    }).pipe(Effect.provide(Disk.layer), Effect.scoped)
  )

  it.live("asks for nothing outside the days it was asked of, though a clock that was set back has put it there", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const day_ms = 86_400_000
      const at = (days: number, count: number) => chunk(days * day_ms, count)
      writeArchive(folder, [...at(0, 10), ...at(2, 10), ...at(1, 10), ...at(3, 10)], { node })
      rmSync(join(folder, "2026/11/27/09/seoul-1-000000000031.jsonl"))
      const days = { dataDir: folder, fromDay: "20261125", toDay: "20261126" }
      const { lines, problems, stretches } = yield* verifyArchive(days)
      assert.deepStrictEqual([lines, problems, stretches], [20, [], [{ node, first: 11, last: 30 }]])
      const last = yield* verifyArchive({ dataDir: folder, fromDay: "20261126" })
      assert.deepStrictEqual(
        last.problems.map(({ kind }) => kind),
        ["missingFile"]
      )
      assert.deepStrictEqual(last.stretches, [
        { node, first: 11, last: 20 },
        { node, first: 31, last: 40 }
      ])
    }).pipe(Effect.provide(Disk.layer), Effect.scoped)
  )

  it.live("looks at the file being written up to its last whole line, and calls a spoilt line in it one", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      writeArchive(folder, chunk(0, 10), { node, isOpen: true })
      const file = "2026/11/24/09/seoul-1-000000000001.jsonl.open"
      appendFileSync(join(folder, file), '{"v":1,"seq":11,"id"')
      assert.deepStrictEqual((yield* verified(folder)).problems, [])
      appendFileSync(join(folder, file), "\n")
      const { problems } = yield* verified(folder)
      assert.deepStrictEqual(
        problems.map(({ kind, file: at, problem }) => [kind, at, problem]),
        [["badLine", file, "line 11 is not JSON"]]
      )
    }).pipe(Effect.provide(Disk.layer), Effect.scoped)
  )

  it.live("takes a packed file beside its own plain one for what a crash left, and a changed one for what it is", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const [sealed] = writeArchive(folder, chunk(0, 10), { node })
      assert.isDefined(sealed)
      const path = join(folder, pathOf(sealed))
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)))
      const both = yield* verified(folder)
      assert.deepStrictEqual(both.problems, [])
      assert.match(both.notes.join(), /both there, and equal/)
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path).subarray(0, 500)))
      assert.deepStrictEqual(
        (yield* verified(folder)).problems.map(({ kind }) => kind),
        ["doubledFile"]
      )
    }).pipe(Effect.provide(Disk.layer), Effect.scoped)
  )

  it.live("accuses no archive whose compressor was killed between any two of its steps", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const [sealed] = writeArchive(folder, chunk(0, 10), { node, isPacked: () => true })
      assert.isDefined(sealed)
      const { day, line } = sealed
      const plain = join(folder, day, line.file)
      const packed = readFileSync(join(folder, pathOf(sealed)))
      writeFileSync(plain, gunzipSync(packed))
      writeFileSync(`${plain}.gz.new`, packed.subarray(0, 100))
      writeFileSync(join(folder, day, "SHA256SUMS"), `${line.sha256}  ${line.file}\n`)
      assert.deepStrictEqual((yield* verified(folder)).problems, [], "the manifest names the packed file")
      const { gzip: _, ...before } = line
      writeFileSync(join(folder, day, "MANIFEST.jsonl"), `${JSON.stringify(before)}\n`)
      assert.deepStrictEqual((yield* verified(folder)).problems, [], "neither list names it")
    }).pipe(Effect.provide(Disk.layer), Effect.scoped)
  )

  it.live("names a line that was sealed and is not the record its id says, and a universe that was changed", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      writeArchive(folder, chunk(0, 3), { node: "other" })
      const made = join(folder, "2026/11/24/09/other-000000000001.jsonl")
      const text = readFileSync(made, "utf8").replace('"seq":2,', '"seq":7,')
      const drafts = text.trimEnd().split("\n").length
      assert.strictEqual(drafts, 3)
      rmSync(join(folder, "2026"), { recursive: true })
      mkdirSync(join(folder, "2026/11/24/09"), { recursive: true })
      sealAsIs(folder, text)
      writeFileSync(join(folder, "2026/11/24/universe-0123456789ab.json"), "{}\n")
      const { problems } = yield* verified(folder)
      assert.deepStrictEqual(
        problems.map(({ kind, problem }) => [kind, problem.split(",")[0]]),
        [
          ["badLine", "line 2 has an id that is not the one of other"],
          ["universe", "its content is not the one its name says"],
          ["missingRange", "seq 2 of other are in no file"]
        ]
      )
    }).pipe(Effect.provide(Disk.layer), Effect.scoped)
  )
})

const accuses = Effect.fnUntraced(function* (
  folder: string,
  damage: Damage,
  victim: Sealed,
  random: () => number,
  scene: string
) {
  const file = damage.apply(folder, victim, random)
  const { problems } = yield* verified(folder)
  const named = problems.filter((problem) => problem.file === file && damage.kinds.includes(problem.kind))
  assert.isAbove(named.length, 0, `${scene}: ${file} of ${JSON.stringify(problems, undefined, 1)}`)
  for (const { problem, remedy } of problems) {
    assert.notMatch(problem + remedy, /\n/)
    assert.isAbove(remedy.length, 0)
  }
})
