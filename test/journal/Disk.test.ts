import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { Disk } from "../../src/journal/Disk.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { tempFolder } from "./fixtures.ts"

/** The journal's tests on the disk in memory mean something only as long as it does what the real one does. */
const disks = [
  { name: "in memory", layer: (folder: string) => new MemoryDisk(folder).layer },
  { name: "of the machine", layer: () => Disk.layer }
]

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8")

for (const { layer, name } of disks) {
  const onDisk = <A, E>(use: (at: (path: string) => string) => Effect.Effect<A, E, Disk>) =>
    Effect.flatMap(tempFolder, (folder) =>
      Effect.provide(
        use((path) => join(folder, path)),
        layer(folder)
      )
    )

  describe(`the disk ${name}`, () => {
    it.effect("writes at places of a file that is open, keeps what was there, and cuts", () =>
      onDisk(
        Effect.fnUntraced(function* (at) {
          const disk = yield* Disk
          yield* disk.writeWhole(at("a"), Buffer.from("old old"))
          const file = yield* disk.openForWriting(at("a"))
          yield* file.write(Buffer.from("new"), 0)
          assert.strictEqual(text(yield* disk.readAt(at("a"), 0, 100)), "new old")
          yield* file.truncate(0)
          yield* file.write(Buffer.from("가나\n"), 0)
          yield* file.write(Buffer.from("x"), 9)
          yield* file.datasync
          yield* file.close
          assert.strictEqual(text(yield* disk.readAt(at("a"), 0, 100)), "가나\n\u0000\u0000x")
          assert.strictEqual(text(yield* disk.readAt(at("a"), 3, 3)), "나")
          assert.strictEqual(text(yield* disk.readAt(at("a"), 100, 3)), "")
          yield* disk.truncate(at("a"), 6)
          assert.strictEqual(yield* disk.size(at("a")), 6)
        })
      )
    )

    it.effect("appends lines, renames over, removes, and lists in order", () =>
      onDisk(
        Effect.fnUntraced(function* (at) {
          const disk = yield* Disk
          yield* disk.makeFolder(at("x/y"))
          yield* disk.makeFolder(at("x/y"))
          yield* disk.appendLine(at("x/b"), "one")
          yield* disk.appendLine(at("x/b"), "two")
          yield* disk.writeWhole(at("x/a"), Buffer.from("a"))
          yield* disk.syncFolder(at("x"))
          assert.deepStrictEqual(yield* disk.list(at("x")), ["a", "b", "y"])
          yield* disk.rename(at("x/b"), at("x/a"))
          assert.strictEqual(text(yield* disk.readAt(at("x/a"), 0, 100)), "one\ntwo\n")
          yield* disk.remove(at("x/a"))
          yield* disk.remove(at("x/a"))
          assert.deepStrictEqual(yield* disk.list(at("x")), ["y"])
        })
      )
    )

    it.effect("says what is missing", () =>
      onDisk(
        Effect.fnUntraced(function* (at) {
          const disk = yield* Disk
          assert.deepStrictEqual(yield* disk.list(at("none")), [])
          assert.isUndefined(yield* disk.size(at("none")))
          const refused = yield* Effect.forEach(
            [
              disk.readAt(at("none"), 0, 1),
              disk.rename(at("none"), at("other")),
              disk.truncate(at("none"), 0),
              disk.syncFolder(at("none")),
              disk.appendLine(at("none/a"), "line"),
              disk.writeWhole(at("none/a"), Buffer.from("a")),
              disk.openForWriting(at("none/a"))
            ],
            (call) => Effect.flip(Effect.asVoid(call))
          )
          for (const { code, message, path } of refused) {
            assert.strictEqual(code, "ENOENT")
            assert.include(message, path)
          }
        })
      )
    )
  })
}
