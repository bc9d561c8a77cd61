import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readEnvironment } from "../../src/Environment.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { ran, root, without } from "./tools.ts"

/**
 * One `.env` is read by three programs of three minds about quotes, `#`, `$` and `\`. Of one mind they are about what
 * docker/README.md calls safe: plain values, and all else between single quotes. Both as written and as meant.
 */
const safe: ReadonlyArray<readonly [written: string, meant: string]> = [
  ["005930,000660", "005930,000660"],
  ["watch:3,index:10,stock:10,etf:10", "watch:3,index:10,stock:10,etf:10"],
  [
    "postgres://observer:a1b2-c3_d4@db.example.com:5432/observer?sslmode=require",
    "postgres://observer:a1b2-c3_d4@db.example.com:5432/observer?sslmode=require"
  ],
  ["2026-11-24T00:00:00Z=2026-11-19T08:20:00x60", "2026-11-24T00:00:00Z=2026-11-19T08:20:00x60"],
  ["aB3/+xyz==", "aB3/+xyz=="],
  ["'postgres://observer:p#s$HOME%21@db/observer'", "postgres://observer:p#s$HOME%21@db/observer"],
  ["'two words # and no comment'", "two words # and no comment"],
  ["'a\"b`c;d&e|f<g>h(i)j{k}l[m]n*o?p!q~r'", 'a"b`c;d&e|f<g>h(i)j{k}l[m]n*o?p!q~r'],
  ["'blanks at the end  '", "blanks at the end  "],
  ["'한국 주식'", "한국 주식"],
  ["'${NOT_A_NAME:-x} $(date) $1'", "${NOT_A_NAME:-x} $(date) $1"]
]
/** What must stay out of the safe part, for the three do not agree on it. */
const unsafe = ["ab#cd", '"p$HOME"', "a\\b"]

const nameOf = (index: number) => `TRICKY_${index}`
const fileOf = (values: ReadonlyArray<string>) =>
  ["# a comment line", "", ...values.map((value, index) => `${nameOf(index)}=${value}`), ""].join("\n")
const written = fileOf(safe.map(([value]) => value))
const meant = Object.fromEntries(safe.map(([, value], index) => [nameOf(index), value]))

const own = Effect.fnUntraced(function* (text: string) {
  const folder = yield* scratchFolder
  writeFileSync(join(folder, ".env"), text)
  return Result.getOrThrow(readEnvironment({}, folder))
})

/** systemd reads os-release files as it reads environment files, and can be asked what it has read without running. */
const systemdHas = Effect.fnUntraced(function* (text: string, values: Readonly<Record<string, string>>) {
  const file = join(yield* scratchFolder, "env")
  writeFileSync(file, text)
  const conditions = Object.entries(values).map(
    ([name, value]) =>
      `ConditionOSRelease="${name}=${value.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll("%", "%%")}"`
  )
  return ran("systemd-analyze", ["condition", ...conditions], { env: { SYSTEMD_OS_RELEASE: file } })
})

/** Its first generation reads env files in a way of its own, and is no more. */
const noCompose =
  without("docker") || (ran("docker", ["compose", "version"]).code !== 0 && "no docker compose beside docker")

/** What a container would find, as compose tells it; `$$` is its way to write a `$` down. */
const composeHas = Effect.fnUntraced(function* (text: string) {
  const folder = yield* scratchFolder
  writeFileSync(join(folder, "trial.env"), text)
  const file = join(folder, "compose.yaml")
  writeFileSync(file, "services: { trial: { image: 'trial:1', env_file: trial.env } }\n")
  const { code, stderr, stdout } = ran("docker", ["compose", "-f", file, "config"], { cwd: folder })
  assert.strictEqual(code, 0, stderr)
  return stdout
})

const noSystemd = without("systemd-analyze")

describe("one .env for all", () => {
  it.effect("is read by the program as it is meant", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* own(written), meant)
    })
  )

  it.effect.skipIf(noSystemd)(`is read by systemd as it is meant${noSystemd ? ` (skipped: ${noSystemd})` : ""}`, () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* systemdHas(written, meant)
      assert.strictEqual(code, 0, stdout + stderr)
      // That it looked at all: another value is not there.
      assert.strictEqual((yield* systemdHas(written, { TRICKY_0: "005930" })).code, 1)
    })
  )

  it.effect.skipIf(noCompose)(`is read by compose as it is meant${noCompose ? ` (skipped: ${noCompose})` : ""}`, () =>
    Effect.gen(function* () {
      const said = (yield* composeHas(written)).replaceAll("$$", "$").replaceAll("''", "'")
      for (const [name, value] of Object.entries(meant)) {
        assert.isTrue(said.includes(value) || said.includes(JSON.stringify(value).slice(1, -1)), `${name}: ${said}`)
      }
    })
  )

  it.effect.skipIf(noSystemd)("is safe for a reason: what is outside of it reads differently here and there", () =>
    Effect.gen(function* () {
      const text = fileOf(unsafe)
      const here = yield* own(text)
      const meantAsWritten = Object.fromEntries(
        unsafe.map((value, index) => [nameOf(index), value.replaceAll('"', "")])
      )
      const isOfOneMind = (yield* systemdHas(text, here as Record<string, string>)).code === 0
      assert.isFalse(isOfOneMind && JSON.stringify(here) === JSON.stringify(meantAsWritten))
    })
  )

  it.effect.skipIf(noSystemd)("may be a copy of .env.example", () =>
    Effect.gen(function* () {
      const text = readFileSync(join(root, ".env.example"), "utf8")
      const here = Object.entries(yield* own(text)).filter(([, value]) => value !== "")
      assert.isAbove(here.length, 10)
      const { code, stderr, stdout } = yield* systemdHas(text, Object.fromEntries(here) as Record<string, string>)
      assert.strictEqual(code, 0, stdout + stderr)
      for (const line of text.split("\n")) {
        // Neither of the two that compose would read otherwise, nor quotes to be read in three ways.
        assert.match(line, /^(#.*|[A-Z_0-9]+=([\w,.:/@%+=~*-]+( [\w,.:/@%+=~*-]+)*)?|)$/)
      }
    })
  )
})
