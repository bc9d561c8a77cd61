import { styleText } from "node:util"
import { visible } from "../logging/humanLine.ts"
import { type Finding, type Mark, worstOf } from "./Finding.ts"

export interface Look {
  readonly colours: boolean
  /** Columns to wrap at; `undefined` writes every finding on one line, for a file or `grep`. */
  readonly width: number | undefined
}

const colourOf = { ok: "green", warn: "yellow", fail: "red", skipped: "gray" } as const

const markWidth = 9
const name_max = 18

const wrapped = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

const countOf = (findings: ReadonlyArray<Finding>, mark: Mark) =>
  findings.filter(({ status }) => status === mark).length

const sumWords = { ok: "all is well", warn: "it works, with something to see to", fail: "something is broken" } as const

/** The findings as people read them, a line each, and a last line that sums them up. */
export const renderFindings = (findings: ReadonlyArray<Finding>, { colours, width }: Look): ReadonlyArray<string> => {
  const paint = (mark: Mark, text: string) =>
    colours ? styleText(colourOf[mark], text, { validateStream: false }) : text
  const nameWidth = Math.max(...findings.map(({ name }) => Math.min(name.length, name_max))) + 2
  const indent = markWidth + nameWidth
  const lines = findings.flatMap(({ advice, ms, name, status, words }) => {
    const took = ms === undefined ? "" : ` (${Math.round(ms)} ms)`
    const said = visible(`${words}${took}${advice === undefined ? "" : ` → ${advice}`}`)
    const head = `${paint(status, status.padEnd(markWidth))}${visible(name).padEnd(nameWidth)}`
    if (width === undefined) return [`${head}${said}`]
    const [first = "", ...rest] = wrapped(said, Math.max(20, width - 1 - indent))
    return [`${head}${first}`, ...rest.map((line) => `${" ".repeat(indent)}${line}`)]
  })
  const worst = worstOf(findings)
  const counts = (["ok", "warn", "fail", "skipped"] as const)
    .map((mark) => `${countOf(findings, mark)} ${mark}`)
    .join(", ")
  return [...lines, "", `${paint(worst, sumWords[worst])}: ${counts}`]
}
