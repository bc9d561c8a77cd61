import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { scratch, script } from "./scratch.ts"

const { violations } = await script<{ violations: (root: string) => Array<string> }>("arrows.mjs")
const forks = await script<{ violations: (root: string) => Array<string> }>("forks.mjs")
const { completed, missingPlatforms, recordedAddresses } = await script<{
  completed: (text: string) => string
  missingPlatforms: (text: string) => ReadonlyArray<readonly [string, object]>
  recordedAddresses: (text: string) => ReadonlyArray<string>
}>("lockfile.mjs")
const { isClean } = await script<{ isClean: (report: string) => boolean }>("effect.mjs")

describe("arrows.mjs", () => {
  it("finds imports that run the wrong way, in any form", () => {
    const root = scratch({
      "main.ts": 'import { a } from "./http/Server.ts"\nimport "./sql/Database.ts"\n',
      "domain/Symbol.ts": 'import type { Journal } from "../journal/Journal.ts"\n',
      "journal/Journal.ts": 'import { S } from "../domain/Symbol.ts"\nimport { T } from "./Segment.ts"\n',
      "kis/Token.ts": 'export { x } from "../shard/deep/Shard.ts"\nconst y = await import("../main.ts")\n',
      "nowhere/Lost.ts": ""
    })
    assert.sameMembers(violations(root), [
      "domain/Symbol.ts: domain must not import journal (../journal/Journal.ts)",
      "kis/Token.ts: kis must not import shard (../shard/deep/Shard.ts)",
      "kis/Token.ts: kis must not import a program (../main.ts)",
      'nowhere/Lost.ts: the room "nowhere" is not in the table of scripts/arrows.mjs'
    ])
  })

  it("lets what runs the right way pass", () => {
    const root = scratch({
      "http/Server.ts": 'import { H } from "../ops/Health.ts"\nimport { S } from "../sql/Database.ts"\n',
      "simulator/Exchange.ts": 'import { S } from "../domain/Symbol.ts"\n'
    })
    assert.deepStrictEqual(violations(root), [])
  })
})

describe("forks.mjs", () => {
  it("finds fibers that no supervisor sees, and lets children of their fiber, the runtime and the simulator be", () => {
    const root = scratch({
      "main.ts": "yield* Layer.launch(all)\n",
      "http/Server.ts": "const a = 1\nyield* serve.pipe(Effect.forkScoped)\nyield* Effect.forkChild(b)\n",
      "sql/Pool.ts": "const fibers = yield* FiberMap.make()\nvoid Effect.runPromise(work)\n",
      "actor/Supervisor.ts": "yield* FiberMap.run(fibers, name, whole)\n",
      "simulator/Market.ts": "yield* Effect.forkDetach(market)\n"
    })
    assert.sameMembers(forks.violations(root), [
      "main.ts:1: Layer.launch starts what no supervisor sees; make it an actor",
      "http/Server.ts:2: Effect.forkScoped starts what no supervisor sees; make it an actor",
      "sql/Pool.ts:1: FiberMap.make starts what no supervisor sees; make it an actor",
      "sql/Pool.ts:2: Effect.runPromise starts what no supervisor sees; make it an actor"
    ])
  })
})

describe("lockfile.mjs", () => {
  it("finds packages whose address is recorded", () => {
    const packages = {
      "": { name: "observer" },
      "node_modules/a": { version: "1.0.0", resolved: "https://mirror.example/a.tgz" },
      "node_modules/b": { version: "1.0.0" }
    }
    const found = recordedAddresses(JSON.stringify({ packages }))
    assert.strictEqual(found.length, 1)
    assert.match(found[0] ?? "", /^node_modules\/a records the address https:\/\/mirror\.example/)
  })

  it("finds and enters the packages of other platforms, which npm ci would miss", () => {
    const optionalDependencies = { "@x/linux-x64": "2.0.0", "@x/binding-linux-arm64-musl": "2.0.0" }
    const packages = {
      "": { name: "observer" },
      "node_modules/x": { version: "2.0.0", dev: true, optionalDependencies },
      "node_modules/@x/linux-x64": { version: "2.0.0", dev: true, optional: true }
    }
    const text = JSON.stringify({ lockfileVersion: 3, packages })
    const entered = { version: "2.0.0", dev: true, optional: true, cpu: ["arm64"], libc: ["musl"], os: ["linux"] }
    assert.deepStrictEqual(missingPlatforms(text), [["node_modules/@x/binding-linux-arm64-musl", entered]])
    assert.deepStrictEqual(missingPlatforms(completed(text)), [])
    assert.deepStrictEqual(JSON.parse(completed(text)), {
      lockfileVersion: 3,
      packages: { ...packages, "node_modules/@x/binding-linux-arm64-musl": entered }
    })
  })

  it("finds this project's lockfile fit for any machine", () => {
    const text = readFileSync("package-lock.json", "utf8")
    assert.deepStrictEqual(recordedAddresses(text), [])
    assert.deepStrictEqual(missingPlatforms(text), [])
  })
})

describe("effect.mjs", () => {
  const found = "0 errors, 0 warnings and 0 messages.\n"
  it.each([
    [`Checked 91 files out of 91 files. \n${found}`, true],
    [`Checked 0 files out of 91 files. \n${found}`, false],
    [`Checked 90 files out of 91 files. \n${found}`, false],
    ["Checked 91 files out of 91 files. \n0 errors, 0 warnings and 1 messages.\n", false],
    ["", false]
  ])("takes %j for clean: %s", (report, clean) => {
    assert.strictEqual(isClean(report), clean)
  })
})
