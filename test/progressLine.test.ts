import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { WriteStream } from "node:tty"
import { archiveProgress } from "../src/ops/progressText.ts"
import { makeProgress } from "../src/progressLine.ts"

/** What is written to a stream of 60 columns, told every second how far 100 seconds have come. */
const saidTo = Effect.fnUntraced(function* (isTTY: boolean) {
  const written: Array<string> = []
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0
  const stream: Pick<WriteStream, "columns" | "isTTY" | "write"> = { columns: 60, isTTY, write }
  const { clear, onProgress } = yield* makeProgress(stream, archiveProgress(100))
  for (let second = 1; second <= 25; second++) {
    yield* TestClock.adjust("1 second")
    yield* onProgress({ bytes: second, elapsed_ms: second * 1_000, rowsPerSecond: 7 })
  }
  yield* clear
  return written
})

describe("the line of progress", () => {
  it.effect("is written over itself on a terminal, and taken away at the end", () =>
    Effect.gen(function* () {
      const written = yield* saidTo(true)
      assert.strictEqual(written.length, 26)
      assert.strictEqual(written[24], "\r[######-----------------] 25 %  7 rows/s  1 min 15 s left   ")
      assert.strictEqual(written[25], "\r\u001b[K")
    })
  )

  it.effect("is a line now and then elsewhere", () =>
    Effect.gen(function* () {
      const written = yield* saidTo(false)
      assert.deepStrictEqual(
        written.map((line) => line.replace(/^\[.*\] /, "")),
        ["10 %  7 rows/s  1 min 30 s left\n", "20 %  7 rows/s  1 min 20 s left\n"]
      )
    })
  )
})
