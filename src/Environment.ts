import { Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import type { SettingProblem } from "./Settings.ts"

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment, with what a `.env` in the working directory adds to it. Where both set a variable the environment
 * wins, unless it is blank there.
 */
export const readEnvironment = (
  processEnv: Environment,
  cwd: string
): Result.Result<Environment, ReadonlyArray<SettingProblem>> => {
  const text = readText(join(cwd, ".env"))
  if (Result.isFailure(text)) return Result.fail([problem(text.failure)])
  const problems = malformed(text.success)
  if (problems.length > 0) return Result.fail(problems)
  const given = Object.entries(processEnv).filter(([, value]) => value !== undefined && value.trim() !== "")
  return Result.succeed({ ...parseEnv(text.success), ...Object.fromEntries(given) })
}

const problem = (found: string): SettingProblem => ({
  variable: ".env",
  found,
  allowed: "a UTF-8 text file of NAME=value lines, or no such file"
})

const readText = (path: string): Result.Result<string, string> => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path))
    return text.includes("\0") ? Result.fail("is not UTF-8 text") : Result.succeed(text.replace(/\r\n?/g, "\n"))
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return Result.succeed("")
    const reason = cause instanceof Error && "code" in cause && cause.code !== "ERR_ENCODING_INVALID_ENCODED_DATA"
    return Result.fail(reason ? `cannot be read (${String(cause.code)})` : "is not UTF-8 text")
  }
}

/** `parseEnv` takes a line without `=` for the beginning of the next name, and an open quote for text: both hide errors. */
const malformed = (text: string): ReadonlyArray<SettingProblem> => {
  const problems: Array<SettingProblem> = []
  const lines = text.split("\n")
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ""
    if (/^\s*(#.*)?$/.test(line)) continue
    const value = /^\s*(?:export\s+)?[A-Za-z_]\w*\s*=\s*(.*)$/.exec(line)?.[1]
    if (value === undefined) {
      problems.push(problem(`line ${index + 1} is not NAME=value`))
      continue
    }
    const quote = /^["'`]/.exec(value)?.[0]
    if (quote === undefined || value.indexOf(quote, 1) > 0) continue
    const end = lines.findIndex((later, at) => at > index && later.includes(quote))
    if (end < 0) problems.push(problem(`line ${index + 1} opens a quote (${quote}) that nothing closes`))
    else index = end
  }
  return problems
}
