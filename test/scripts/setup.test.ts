import { assert, describe, it } from "@effect/vitest"
import { execFileSync, spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from "node:fs"
import { join, resolve } from "node:path"
import { put, scratch, script } from "./scratch.ts"

const { nodeVersionProblem } = await script<{ nodeVersionProblem: (version: string) => string | undefined }>(
  "setup/nodeVersion.mjs"
)
const { withLock } = await script<{
  withLock: <A>(path: string, onWait: (owner: number) => void, work: () => Promise<A>) => Promise<A>
}>("setup/lock.mjs")
const { build, isBuilt } = await script<{ build: (root: string) => void; isBuilt: (root: string) => boolean }>(
  "setup/build.mjs"
)
const { install, isInstalled } = await script<{
  install: (root: string) => Promise<void>
  isInstalled: (root: string) => boolean
}>("setup/install.mjs")

describe("nodeVersion", () => {
  it.each(["20.19.0", "20.20.2", "21.0.0", "22.12.0", "24.1.0", "26.0.0-nightly"])("takes %s", (version) => {
    assert.isUndefined(nodeVersionProblem(version))
  })
  it.each(["20.18.3", "18.20.0", "8.0.0"])("refuses %s in one line", (version) => {
    assert.match(nodeVersionProblem(version) ?? "", /^Observer needs Node\.js 20\.19 or newer, this is .*$/)
  })
})

describe("the lock", () => {
  const noWait = (owner: number) => assert.fail(`waited for ${owner}`)
  const deadPid = () => Number(execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }))

  it("lets one in at a time, and tells the other whom it waits for", async () => {
    const path = join(scratch(), "var", "setup.lock")
    const events: Array<string> = []
    let second: Promise<unknown> = Promise.resolve()
    await withLock(path, noWait, async () => {
      const owner = await new Promise<number>((told) => {
        second = withLock(path, told, async () => events.push("second"))
      })
      assert.strictEqual(owner, process.pid)
      events.push("first")
    })
    await second
    assert.deepStrictEqual(events, ["first", "second"])
    assert.isFalse(existsSync(path))
  })

  it("is free again when the work in it fails", async () => {
    const path = join(scratch(), "setup.lock")
    const failure = await withLock(path, noWait, () => Promise.reject(new Error("broken"))).catch(String)
    assert.strictEqual(failure, "Error: broken")
    assert.isFalse(existsSync(path))
  })

  it("is taken from an owner that was killed", async () => {
    const path = join(scratch(), "setup.lock")
    put(path, { pid: String(deadPid()) })
    assert.strictEqual(await withLock(path, noWait, async () => "done"), "done")
  })

  it("is taken from an owner that was killed before it could say who it is", async () => {
    const path = join(scratch(), "setup.lock")
    mkdirSync(path)
    utimesSync(path, 1, 1)
    assert.strictEqual(await withLock(path, noWait, async () => "done"), "done")
  })
})

/** A project as small as one can be, with this project's packages and compiler settings. */
const project = (files: Readonly<Record<string, string>>): string => {
  const root = scratch(files)
  for (const name of readdirSync(".")) {
    if (/^(package(-lock)?|tsconfig.*)\.json$|^scripts$/.test(name)) cpSync(name, join(root, name), { recursive: true })
  }
  symlinkSync(resolve("node_modules"), join(root, "node_modules"))
  return root
}

describe("the build", () => {
  it("follows the sources: made once, again after a change, and what lost its source is removed", () => {
    const root = project({
      "src/main.ts": 'import { a } from "./domain/a.ts"\nconsole.log(a)\n',
      "src/domain/a.ts": "export const a: number = 1\n",
      "migrations/0001_first.ts": "export default 1\n"
    })
    assert.isFalse(isBuilt(root))
    build(root)
    assert.isTrue(isBuilt(root))
    assert.include(readFileSync(join(root, "dist/main.js"), "utf8"), './domain/a.js"')
    assert.isTrue(existsSync(join(root, "dist/migrations/0001_first.js")))

    put(root, { "src/main.ts": "console.log(2)\n" })
    rmSync(join(root, "src/domain/a.ts"))
    assert.isFalse(isBuilt(root))
    build(root)
    assert.isTrue(isBuilt(root))
    assert.isFalse(existsSync(join(root, "dist/domain/a.js")))
    assert.notInclude(readdirSync(join(root, "dist")).join(), "staging")
  })

  it("leaves what was built alone when the sources do not compile, and says where", () => {
    const root = project({ "src/main.ts": "console.log(1)\n" })
    build(root)
    const before = readFileSync(join(root, "dist/main.js"), "utf8")
    put(root, { "src/main.ts": "const wrong: number = 'text'\n" })
    assert.throws(() => build(root), /tsconfig\.build\.json does not compile:\nsrc\/main\.ts\(1,7\): error TS2322/)
    assert.strictEqual(readFileSync(join(root, "dist/main.js"), "utf8"), before)
    assert.isFalse(isBuilt(root))
  })
})

describe("the installation", () => {
  const lock = (packages: object) =>
    JSON.stringify({ name: "p", version: "1.0.0", lockfileVersion: 3, requires: true, packages })
  const a = { version: "1.0.0", integrity: "sha512-a" }

  it("is taken over from npm when every package is there in its version", () => {
    const root = scratch({
      "package-lock.json": lock({ "": {}, "node_modules/a": a, "node_modules/b": { ...a, optional: true } }),
      "node_modules/.package-lock.json": lock({ "node_modules/a": a }),
      "node_modules/a/package.json": "{}"
    })
    assert.isTrue(isInstalled(root))
    assert.isTrue(existsSync(join(root, "node_modules/.observer-stamp")))
    put(root, { "package-lock.json": lock({ "": {}, "node_modules/a": { ...a, version: "1.0.1" } }) })
    assert.isFalse(isInstalled(root))
  })

  it.each([
    ["nothing is there", {}],
    ["npm has not finished", { "node_modules/a/package.json": "{}" }],
    ["a package is missing", { "node_modules/.package-lock.json": lock({}) }],
    ["a package was deleted", { "node_modules/.package-lock.json": lock({ "node_modules/a": a }) }]
  ])("is wanting when %s", (_, files: Readonly<Record<string, string>>) => {
    assert.isFalse(isInstalled(scratch({ "package-lock.json": lock({ "": {}, "node_modules/a": a }), ...files })))
  })

  it("says in one line that there is no network", async () => {
    const root = scratch({
      ".npmrc": "registry=http://127.0.0.1:1\ncache=./cache\n",
      "package.json": '{"name":"p","version":"1.0.0","dependencies":{"a":"1.0.0"}}',
      "package-lock.json": lock({
        "": { name: "p", version: "1.0.0", dependencies: { a: "1.0.0" } },
        "node_modules/a": a
      })
    })
    const message = await install(root).then(
      () => "installed",
      (error: Error) => error.message
    )
    assert.match(message, /^the packages could not be fetched, the registry cannot be reached \(ECONNREFUSED\): .*$/)
    assert.isFalse(isInstalled(root))
  })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const start = (root: string, onOutput: (kill: (signal: NodeJS.Signals) => void) => void = () => {}) =>
  new Promise<Ended>((done, failed) => {
    const child = spawn(process.execPath, [join(root, "scripts/start.cjs"), "one", "two words"], { cwd: root })
    const texts = { stdout: "", stderr: "" }
    child.stdout.on("data", (chunk) => {
      texts.stdout += String(chunk)
      onOutput((signal) => child.kill(signal))
    })
    child.stderr.on("data", (chunk) => {
      texts.stderr += String(chunk)
    })
    child.on("error", failed)
    child.on("close", (code) => done({ code, ...texts }))
  })

describe("npm start", () => {
  const main = "process.stdout.write(JSON.stringify(process.argv.slice(2)))\nprocess.exitCode = 7\n"

  it("builds once when two are started at the same time, and says nothing when all is up to date", async () => {
    const root = project({ "src/main.ts": main })
    const both = await Promise.all([start(root), start(root)])
    for (const { code, stdout } of both) {
      assert.strictEqual(stdout, '["one","two words"]')
      assert.strictEqual(code, 7)
    }
    const said = both.map(({ stderr }) => stderr).join("")
    assert.strictEqual(said.match(/^building… \d+(\.\d)? s$/gm)?.length, 1)
    assert.deepStrictEqual(await start(root), { code: 7, stdout: '["one","two words"]', stderr: "" })
  })

  it("leaves signals to the program, which runs in the same process", async () => {
    const root = project({
      "src/main.ts": [
        "const alive = setInterval(() => {}, 60_000)",
        'process.on("SIGTERM", () => { clearInterval(alive); process.exitCode = 9 })',
        'process.stdout.write("up")',
        ""
      ].join("\n")
    })
    const { code } = await start(root, (kill) => kill("SIGTERM"))
    assert.strictEqual(code, 9)
  })

  it("says in a line or two what does not compile, and starts nothing", async () => {
    const { code, stderr, stdout } = await start(project({ "src/main.ts": `${main}const x: number = ""\n` }))
    assert.strictEqual(code, 1)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^building… failed\ntsconfig\.build\.json does not compile:\nsrc\/main\.ts\(3,7\): error/)
    assert.notInclude(stderr, "    at ")
  })
})
