import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Disk, type DiskFile } from "../../src/journal/Disk.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { openJournal, openMs, seen, settled, tempFolder } from "./fixtures.ts"

/** A disk of which, from a moment on, the calls of some names never come back; each of them keeps a thread. */
const hangingDisk = Effect.fnUntraced(function* (memory: MemoryDisk) {
  const disk = Context.get(yield* Layer.build(memory.layer), Disk)
  const state = { hung: new Set<string>(), caught: new Array<string>() }
  const hangs = <A, E>(name: string, call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      if (!state.hung.has(name)) return call
      state.caught.push(name)
      return Effect.never
    })
  const hung = Disk.of({
    ...disk,
    identity: (path) => hangs("look", disk.identity(path)),
    openForWriting: (path) =>
      Effect.map(disk.openForWriting(path), (file): DiskFile => ({
        ...file,
        write: (bytes, at) => hangs("write", file.write(bytes, at)),
        datasync: hangs("sync", file.datasync)
      }))
  })
  return { state, layer: Layer.succeed(Disk, hung) }
})

const everything = ["look", "sync", "write"]

describe("a journal whose disk hangs", () => {
  for (const first of everything) {
    it.effect(`keeps two threads at the most, when it is a ${first} that hangs first`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const root = yield* tempFolder
        const { layer, state } = yield* hangingDisk(new MemoryDisk(root))
        yield* Effect.gen(function* () {
          const journal = yield* openJournal(root, { fsync_ms: 200 })
          yield* journal.append([seen(1)])
          state.hung.add(first)
          for (let turn = 0; turn < 30; turn++) {
            if (turn === 2) for (const name of everything) state.hung.add(name)
            yield* Effect.forkScoped(journal.append([seen(2 + turn)]))
            for (let step = 0; step < 10; step++) {
              yield* settled
              yield* TestClock.adjust("100 millis")
            }
          }
          assert.include(state.caught, first)
          assert.isAtMost(state.caught.length, 2, state.caught.join(" "))
        }).pipe(Effect.provide(layer))
      })
    )
  }
})
