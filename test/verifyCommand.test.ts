import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { VerifyReport } from "../src/journal/Verify.ts"
import { writeArchive } from "./support/archive.ts"
import { clockOf, inOrder, marker, quotes, universeAt } from "./support/archivedDay.ts"
import { compiled } from "./support/compiled.ts"
import { runToEnd } from "./support/runToEnd.ts"
import { scratchFolder } from "./support/virtualTime.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

describe("observer verify and observer certify", () => {
  it.live(
    "certify a day, find what was done to it afterwards, and say with exit codes what is wrong",
    () =>
      Effect.gen(function* () {
        const folder = yield* compiled(["src/cli.ts"])
        cpSync(join(root, "data"), join(folder, "data"), { recursive: true })
        const program = join(folder, "src", "cli.js")
        const dataDir = yield* scratchFolder
        const env = {
          OBSERVER_DATA_DIR: dataDir,
          OBSERVER_STATE_DIR: join(dataDir, "no", "state"),
          OBSERVER_SESSION: "calendar"
        }
        const observer = (args: ReadonlyArray<string>, more: Record<string, string> = {}) =>
          runToEnd(program, args, { ...env, ...more })

        const at = clockOf("20251124")
        const codes = ["005930", "0001"]
        const drafts = inOrder([
          marker(at("0730"), { event: "start" }),
          universeAt(dataDir, "20251124", at("0740"), codes),
          ...quotes(codes, at("0800"), at("1800"))
        ])
        const sealed = writeArchive(dataDir, drafts, { node: "seoul-1", isPacked: (index) => index < 3 })

        // Without a day it takes the newest that is over.
        const certified = yield* observer(["certify"])
        assert.deepInclude(certified, { code: 0, stderr: "" })
        assert.match(certified.stdout, /^2025-11-24: complete\n/)
        assert.isTrue(existsSync(join(dataDir, "2025/11/24/CERTIFICATE.html")))
        const kept = yield* observer(["certify", "--missing"])
        assert.deepInclude(kept, { code: 0, stdout: "2025-11-24 has its certificate, which stays as it is\n" })
        const again = yield* observer(["certify", "2025-11-24", "--json"])
        assert.deepInclude(JSON.parse(again.stdout) as object, { v: 1, day: "2025-11-24", verdict: "complete" })

        const clean = yield* observer(["verify"])
        assert.deepInclude(clean, { code: 0, stderr: "" })
        assert.match(clean.stdout, /SQL: not compared: there is no embedded database yet/)
        assert.match(clean.stdout, /, 1 certificate: nothing is wrong\n$/)

        const victim = sealed.at(-1)
        const path = join(dataDir, victim?.day ?? "", victim?.line.file ?? "")
        writeFileSync(path, readFileSync(path, "utf8").replace("70000", "70009"))
        const wrong = yield* observer(["verify", "--from", "2025-11-24", "--to", "20251124", "--no-sql", "--json"])
        assert.deepInclude(wrong, { code: 1, stderr: "" })
        const report = JSON.parse(wrong.stdout) as VerifyReport & { readonly clean: boolean }
        assert.isFalse(report.clean)
        assert.deepStrictEqual(
          report.problems.map(({ file, kind }) => [kind, file]),
          [["damagedFile", `2025/11/24/${victim?.line.file}`]]
        )
        const table = yield* observer(["verify", "--no-sql"])
        assert.match(table.stdout, /damagedFile +2025\/11\/24\/17\/.* → restore .* from a backup\n/)
        assert.strictEqual((yield* observer(["certify", "2025-11-24"])).code, 1)

        const ends = [
          yield* observer(["verify", "--from", "yesterday"]),
          yield* observer(["verify", "--target", "mysql://reader:secret@127.0.0.1/none"]),
          yield* observer(["certify", "2025-11-25"]),
          yield* observer(["verify", "--target", "postgres://nobody@127.0.0.1:9/none"]),
          yield* observer(["verify"], { OBSERVER_DATA_DIR: join(dataDir, "nowhere") })
        ]
        assert.deepStrictEqual(
          ends.map(({ code }) => code),
          [64, 64, 64, 69, 73]
        )
        assert.match(ends[1]?.stderr ?? "", /--target: .*Expected: an address beginning with postgres:/)
        assert.notMatch(ends[1]?.stderr ?? "", /secret/)
        assert.match(ends[3]?.stderr ?? "", /the database cannot be used: .*--no-sql verifies the files alone/)
      }).pipe(Effect.scoped),
    120_000
  )
})
