import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { observerAddress, tellAddress } from "../src/httpAddress.ts"
import { Disk } from "../src/journal/Disk.ts"
import { scratchFolder } from "./support/virtualTime.ts"

const urlOf = (httpHost: string, httpPort: number, stateDir = "/nowhere") =>
  Effect.map(observerAddress({ httpHost, httpPort, httpToken: undefined, stateDir }), ({ url }) => url)

describe("where an observer answers", () => {
  it.effect("who listens everywhere is asked on loopback, and an IPv6 address stands in brackets", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* urlOf("127.0.0.1", 8787), "http://127.0.0.1:8787")
      assert.strictEqual(yield* urlOf("0.0.0.0", 80), "http://127.0.0.1:80")
      assert.strictEqual(yield* urlOf("::", 8787), "http://[::1]:8787")
      assert.strictEqual(yield* urlOf("observer.local", 8787), "http://observer.local:8787")
    })
  )

  it.effect("where any free port is taken it is the one that was written down last", () =>
    Effect.gen(function* () {
      const stateDir = join(yield* scratchFolder, "state")
      assert.strictEqual(yield* urlOf("127.0.0.1", 0, stateDir), "http://127.0.0.1:0")
      mkdirSync(stateDir)
      yield* tellAddress(stateDir, "http://127.0.0.1:41001")
      yield* tellAddress(stateDir, "http://127.0.0.1:41002")
      assert.strictEqual(yield* urlOf("127.0.0.1", 0, stateDir), "http://127.0.0.1:41002")
      assert.strictEqual(yield* urlOf("127.0.0.1", 8787, stateDir), "http://127.0.0.1:8787")
      writeFileSync(join(stateDir, "http.json"), "{")
      assert.strictEqual(yield* urlOf("127.0.0.1", 0, stateDir), "http://127.0.0.1:0")
    }).pipe(Effect.provide(Disk.layer))
  )
})
