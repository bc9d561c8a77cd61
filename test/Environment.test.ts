import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach } from "vitest"
import { readEnvironment } from "../src/Environment.ts"
import { describeProblem } from "../src/Settings.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "observer env "))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (content: string | Uint8Array) => writeFileSync(join(folder, ".env"), content)
const read = (env: Record<string, string | undefined> = {}) => Result.getOrThrow(readEnvironment(env, folder))
const problems = () => {
  const result = readEnvironment({}, folder)
  assert(Result.isFailure(result), "this .env should have been refused")
  return result.failure.map(describeProblem)
}

describe("the environment", () => {
  it("stands alone where there is no .env", () => {
    assert.deepStrictEqual(read({ A: "1", B: undefined }), { A: "1" })
  })

  it("wins over .env, unless it is blank", () => {
    write("A=file\nB=file\nC=file\n")
    assert.deepStrictEqual(read({ A: "env", B: " " }), { A: "env", B: "file", C: "file" })
  })

  it("takes comments, exports, quotes over lines, Windows line ends and a byte order mark", () => {
    write("\ufeff# ours\r\n\r\nexport A=1 # one\r\nB='x = y'\r\nC=\"two\r\nlines\"\r\nD=\r\n")
    assert.deepStrictEqual(read(), { A: "1", B: "x = y", C: "two\nlines", D: "" })
  })

  it("refuses lines that are no settings, naming each", () => {
    write("A=1\nKIS_APP_KEY: secret\n=2\nB=3\n")
    const found = problems()
    assert.strictEqual(found.length, 2)
    assert.match(found[0] ?? "", /^\.env line 2 is not NAME=value; allowed: a UTF-8 text file/)
    assert.include(found[1], "line 3")
    assert.notInclude(found.join(), "secret")
  })

  it("refuses a quote that nothing closes", () => {
    write('A=1\nB="open\nC=2\n')
    assert.include(problems()[0], 'line 2 opens a quote (") that nothing closes')
  })

  it("refuses what Windows may save as Unicode text", () => {
    write(Buffer.from("\ufeffA=1\r\n", "utf16le"))
    assert.include(problems()[0], ".env is not UTF-8 text")
  })

  it("refuses a .env that cannot be read", () => {
    mkdirSync(join(folder, ".env"))
    assert.include(problems()[0], ".env cannot be read (EISDIR)")
  })
})
