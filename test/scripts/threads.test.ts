import { assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Reads so many pipes that nobody writes, each of which keeps a thread, then looks at a folder and says so. */
const program = (pipes: ReadonlyArray<string>) => `
import { readFile, stat } from "node:fs/promises"
for (const pipe of ${JSON.stringify(pipes)}) readFile(pipe)
stat(".").then(() => process.stdout.write("answered"))
`

const hasPipes = spawnSync("mkfifo", ["--version"]).status === 0
if (!hasPipes) console.warn("skipped: threads that hang, for there is no mkfifo")

const started = (program: string) => readFileSync(new URL(`../../${program}`, import.meta.url), "utf8")

describe("the threads for file calls", () => {
  it.skipIf(!hasPipes)("are enough for others while several hang, in a program that npm start began", async () => {
    const folder = mkdtempSync(join(tmpdir(), "observer-threads-"))
    const pipes = Array.from({ length: 8 }, (_, n) => join(folder, `pipe-${n}`))
    spawnSync("mkfifo", pipes)
    copyFileSync(new URL("../../scripts/start.cjs", import.meta.url), join(folder, "start.cjs"))
    writeFileSync(join(folder, "start.mjs"), program(pipes))
    const { UV_THREADPOOL_SIZE: _size, ...env } = process.env
    const child = spawn(process.execPath, [join(folder, "start.cjs")], { cwd: folder, env })
    const answer = await new Promise<string>((done) => {
      child.stdout.once("data", (text) => done(String(text)))
      child.once("exit", (code) => done(`ended with ${code}`))
    })
    child.kill("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
    assert.strictEqual(answer, "answered")
  })

  it("are as many wherever the observer is installed", () => {
    assert.include(started("package.json"), '"start": "node scripts/start.cjs"')
    assert.match(started("docker/Dockerfile"), /^ +UV_THREADPOOL_SIZE=16 \\$/m)
    assert.match(started("deploy/systemd/observer.service"), /^Environment=UV_THREADPOOL_SIZE=16$/m)
  })
})
