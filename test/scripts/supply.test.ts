import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { script } from "./scratch.ts"

interface Component {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly purl?: string
  readonly hashes?: ReadonlyArray<{ readonly alg: string; readonly content: string }>
  readonly licenses?: ReadonlyArray<object>
}
interface Bom {
  readonly serialNumber: string
  readonly metadata: { readonly component: Component }
  readonly components: ReadonlyArray<Component>
}
interface Lock {
  readonly packages: Readonly<Record<string, object & { readonly version?: string; readonly dev?: boolean }>>
}

const { licenceProblems, makeSbom, steady } = await script<{
  licenceProblems: (bom: { readonly components: ReadonlyArray<object> }) => ReadonlyArray<string>
  makeSbom: (root: string) => Bom
  steady: (said: object, project: { readonly name: string; readonly version: string }) => Bom
}>("sbom.mjs")
const { countsOf, installScripts, unpinned } = await script<{
  countsOf: (lock: Lock) => { readonly production: number; readonly all: number }
  installScripts: (lock: Lock) => ReadonlyArray<string>
  unpinned: (project: object) => ReadonlyArray<string>
}>("dependencies.mjs")
const { judgeAudit } = await script<{
  judgeAudit: (
    stdout: string,
    stderr: string
  ) => { readonly skipped: string | undefined; readonly holes: ReadonlyArray<string> }
}>("audit.mjs")

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock
const project = JSON.parse(readFileSync("package.json", "utf8")) as { readonly name: string; readonly version: string }

describe("the bill of materials", () => {
  it("has every package of the program with version, licence and digest, and is the same each time", () => {
    const bom = makeSbom(process.cwd())
    const wanted = Object.entries(lock.packages).flatMap(([path, { dev, version }]) =>
      path === "" || dev === true ? [] : [`${path.replace(/^.*node_modules\//, "")}@${version}`]
    )
    const named = bom.components.map(({ name, version }) => `${name}@${version}`)
    assert.sameMembers([...new Set(named)], [...new Set(wanted)])
    for (const { hashes = [], licenses = [], name, purl } of bom.components) {
      assert.isNotEmpty(licenses, name)
      assert.match(hashes[0]?.content ?? "", /^[0-9a-f]{128}$/, name)
      assert.match(purl ?? "", /^pkg:npm\//, name)
    }
    assert.deepInclude(bom.metadata.component, { type: "application", name: project.name, version: project.version })
    assert.deepStrictEqual(licenceProblems(bom), [])
    assert.notProperty(bom.metadata, "timestamp")
    assert.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const said = { metadata: { timestamp: "now", component: { name: "folder" } }, components: [] }
    assert.deepStrictEqual(
      steady({ ...said, serialNumber: "urn:uuid:1" }, project),
      steady({ ...said, metadata: { ...said.metadata, timestamp: "then" }, serialNumber: "urn:uuid:2" }, project)
    )
  })

  it("names a licence that is not allowed, and a package without one", () => {
    const of = (name: string, licenses?: ReadonlyArray<object>) => ({
      name,
      version: "1.0.0",
      ...(licenses === undefined ? {} : { licenses })
    })
    const components = [
      of("fine", [{ license: { id: "MIT" } }]),
      of("copyleft", [{ license: { id: "AGPL-3.0-only" } }]),
      of("either", [{ expression: "(MIT OR GPL-2.0)" }]),
      of("silent")
    ]
    assert.deepStrictEqual(
      licenceProblems({ components }).map((problem) => problem.replace(/, which.*/, "")),
      [
        "copyleft@1.0.0 has the licence AGPL-3.0-only",
        "either@1.0.0 has the licence (MIT OR GPL-2.0)",
        "silent@1.0.0 does not say its licence"
      ]
    )
  })
})

describe("what comes from others", () => {
  it("is pinned, runs nothing at its installation, and is not much", () => {
    assert.deepStrictEqual([...unpinned(project), ...installScripts(lock)], [])
    const { all, production } = countsOf(lock)
    assert.isAtMost(production, 80)
    assert.isAbove(all, production)
    const ranges = {
      dependencies: { a: "^1.0.0", b: "1.0.0", c: "latest" },
      devDependencies: { d: "git+ssh://x", e: "1.0.0-r.1" }
    }
    assert.deepStrictEqual(
      unpinned(ranges).map((problem) => problem.slice(0, 1)),
      ["a", "c", "d"]
    )
    const scripted = { packages: { "": {}, "node_modules/x": { hasInstallScript: true }, "node_modules/y": {} } }
    assert.deepStrictEqual(
      installScripts(scripted).map((problem) => problem.split(" ")[0]),
      ["node_modules/x"]
    )
  })
})

describe("an audit", () => {
  it("names the holes, says when there are none, and when the registry has no answer", () => {
    const vulnerabilities = { ws: { name: "ws", severity: "high", range: "<8.17.1", fixAvailable: true } }
    assert.deepStrictEqual(judgeAudit(JSON.stringify({ vulnerabilities }), "").holes, ["ws <8.17.1: high"])
    assert.deepStrictEqual(judgeAudit('{"vulnerabilities":{}}', ""), { skipped: undefined, holes: [] })
    const refused = judgeAudit(
      '{"message":"405 Method Not Allowed - POST https://registry.example/bulk","method":"POST"}',
      ""
    )
    assert.include(refused.skipped, "405 Method Not Allowed")
    assert.strictEqual(judgeAudit("", "npm error network ECONNREFUSED\nmore").skipped, "npm error network ECONNREFUSED")
    assert.isString(judgeAudit("", "").skipped)
  })
})
