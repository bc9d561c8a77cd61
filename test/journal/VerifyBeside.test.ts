import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { cpSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { Disk } from "../../src/journal/Disk.ts"
import { enter, enterCompressed } from "../../src/journal/Manifest.ts"
import { verifyArchive } from "../../src/journal/Verify.ts"
import { sha256, writeArchive } from "../support/archive.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { chunk, node } from "./fixtures.ts"

const count = 3_000
const numbers = Array.from({ length: count }, (_, index) => index + 1)
const drafts = chunk(0, count, "x".repeat(300))

/** What an observer does to a file, each step before the next block of it is read. */
const beside = (path: string, steps: Array<Effect.Effect<void, unknown, Disk>>) =>
  Layer.effect(
    Disk,
    Effect.gen(function* () {
      const disk = Context.get(yield* Layer.build(Disk.layer), Disk)
      const readAt: typeof disk.readAt = Effect.fnUntraced(function* (file, at, length) {
        const step = file.startsWith(path) && at > 0 ? steps.shift() : undefined
        if (step !== undefined) yield* Effect.orDie(Effect.provideService(step, Disk, disk))
        return yield* disk.readAt(file, at, length)
      })
      return { ...disk, readAt }
    })
  )

/** The archive of one file, its line in the manifest, and what seals and what packs it. */
const scene = Effect.fnUntraced(function* (isOpen: boolean) {
  const [folder, sealed] = [yield* scratchFolder, yield* scratchFolder]
  const [written] = writeArchive(sealed, drafts, { node })
  assert.isDefined(written)
  const { day, line } = written
  if (isOpen) writeArchive(folder, drafts, { node, isOpen })
  else cpSync(sealed, folder, { recursive: true })
  const path = join(folder, day, line.file)
  const seal = Effect.andThen(
    Effect.sync(() => renameSync(`${path}.open`, path)),
    enter(folder, day, line)
  )
  const pack = Effect.suspend(() => {
    const packed = gzipSync(readFileSync(path))
    writeFileSync(`${path}.gz`, packed)
    return enterCompressed(folder, day, line, {
      file: `${line.file}.gz`,
      bytes: packed.length,
      sha256: sha256(packed)
    })
  })
  return { folder, path, seal, pack }
})

/** Verifies, and says which numbers were told. */
const verified = Effect.fnUntraced(function* (dataDir: string) {
  const told: Array<number> = []
  const report = yield* verifyArchive({ dataDir, onRecord: ({ seq }) => void told.push(seq) })
  return { report, told }
})

describe("verify beside an observer", () => {
  it.live("tells each record once of a file that is packed and removed while it is read, and accuses nothing", () =>
    Effect.gen(function* () {
      const { folder, pack, path } = yield* scene(false)
      const { report, told } = yield* Effect.provide(verified(folder), beside(path, [pack]))
      assert.deepStrictEqual([report.problems, report.lines, report.files], [[], count, 1])
      assert.deepStrictEqual(told, numbers)
      assert.strictEqual(report.bytes, statSync(`${path}.gz`).size)
    }).pipe(Effect.scoped)
  )

  it.live("tells each record once of a file that is sealed while it is read, and of one that is packed at once", () =>
    Effect.gen(function* () {
      for (const isPacked of [false, true]) {
        const { folder, pack, path, seal } = yield* scene(true)
        const steps = isPacked ? [seal, pack] : [seal]
        const { report, told } = yield* Effect.provide(verified(folder), beside(path, steps))
        assert.deepStrictEqual([report.problems, report.lines, report.files], [[], count, 1])
        assert.deepStrictEqual(told, numbers)
        assert.strictEqual(report.entered.length, 1)
      }
    }).pipe(Effect.scoped)
  )
})
