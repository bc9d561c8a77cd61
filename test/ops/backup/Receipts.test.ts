import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { append, compact, load, type ReceiptLine, receiptsFile } from "../../../src/ops/backup/Receipts.ts"
import { logTransfers } from "../../../src/ops/backup/TransferLog.ts"
import { seeded } from "../../support/archive.ts"
import { scratchFolder } from "../../support/virtualTime.ts"
import { readdirSync } from "node:fs"
import { join } from "node:path"

const pick = <A>(random: () => number, from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)] as A

describe("receipts", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it.live(
      `say what the newest lines say, through appends, revocations, torn ends and compactions (seed ${seed})`,
      () =>
        Effect.gen(function* () {
          const stateDir = yield* scratchFolder
          const random = seeded(seed)
          // The plain model: a map from target and file to the newest line.
          const model = new Map<string, ReceiptLine>()
          const check = Effect.gen(function* () {
            const book = yield* load(stateDir)
            const found = [...book.values()].flat().map(({ file, sha256, target }) => `${target} ${file} ${sha256}`)
            const expected = [...model.values()].flatMap(({ file, sha256, target }) =>
              sha256 === undefined ? [] : [`${target} ${file} ${sha256}`]
            )
            assert.deepStrictEqual(found.toSorted(), expected.toSorted())
            const asked = 'logs/"odd"\n.log'
            const some = yield* load(stateDir, (file) => file === asked)
            assert.deepStrictEqual(
              [...some],
              [...book].filter(([file]) => file === asked)
            )
            for (const [file, receipts] of book) assert.isTrue(receipts.every((receipt) => receipt.file === file))
          })
          for (let step = 0; step < 120; step++) {
            const does = random()
            if (does < 0.75) {
              const lines = Array.from({ length: 1 + Math.floor(random() * 4) }, (): ReceiptLine => {
                const named = {
                  at: "2026-01-01T00:00:00.000Z",
                  target: pick(random, ["/a", "rclone:b:c"]),
                  bytes: step
                }
                const file = pick(random, ["2026/01/01/09/x.jsonl", "2026/01/01/SHA256SUMS", 'logs/"odd"\n.log'])
                return random() < 0.3
                  ? { ...named, file, damaged: true }
                  : { ...named, file, sha256: `${seed}-${step}` }
              })
              yield* append(stateDir, lines)
              for (const line of lines) model.set(`${line.target} ${line.file}`, line)
            } else if (does < 0.85) {
              // A power cut in the middle of a line.
              appendFileSync(receiptsFile(stateDir), '{"at":"2026-01-01T00:00:00.000Z","target":"/a","file":"2026/01')
            } else {
              yield* compact(stateDir, 5)
              yield* check
            }
            yield* check
          }
          yield* compact(stateDir, 0)
          assert.isAtMost(readFileSync(receiptsFile(stateDir), "utf8").split("\n").length - 1, 2 * model.size)
        }).pipe(Effect.scoped)
    )
  }

  it.live("are none where there has been no backup, and none in a file of something else", () =>
    Effect.gen(function* () {
      const stateDir = yield* scratchFolder
      assert.strictEqual((yield* load(stateDir)).size, 0)
      yield* append(stateDir, [{ at: "", target: "/a", file: "b", bytes: 1, sha256: "c" }])
      writeFileSync(receiptsFile(stateDir), "nothing of the kind\n{}\n[]\n")
      assert.strictEqual((yield* load(stateDir)).size, 0)
    }).pipe(Effect.scoped)
  )

  it.live("and the log of transfers stay within bounds", () =>
    Effect.gen(function* () {
      const stateDir = yield* scratchFolder
      for (let turn = 0; turn < 100; turn++) {
        yield* logTransfers(stateDir, [{ event: "file", target: "/a", file: `${turn}`, bytes: turn }], 1_000)
      }
      const names = readdirSync(join(stateDir, "backup"))
      assert.sameMembers(names, ["transfers.jsonl", "transfers.1.jsonl"])
      for (const name of names) assert.isAtMost(readFileSync(join(stateDir, "backup", name)).length, 1_000)
    }).pipe(Effect.scoped)
  )
})
