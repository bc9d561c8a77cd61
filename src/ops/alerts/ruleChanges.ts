import { Result } from "effect"
import type { SettingValue } from "../../domain/SettingValue.ts"
import { rules } from "./rules.ts"

/** What a user has changed of the rules, by name: another limit, or that it never speaks. */
export type RuleChanges = ReadonlyMap<string, number | "off">

const bounds = rules.map(({ limit, name }) =>
  limit === undefined
    ? `${name} has no limit, only off`
    : `${name} takes ${limit.least} to ${limit.most} ${limit.unit}, or off`
)

/** `rule:limit` or `rule:off`, several of them with commas between. */
export const ruleChanges: SettingValue<RuleChanges> = {
  allowed: "rule:limit or rule:off, with commas between, by the names and limits of docs/alarms.md",
  parse: (text) => {
    const changes = new Map<string, number | "off">()
    for (const word of text.split(/[\s,]+/).filter((each) => each !== "")) {
      const [name = "", value = "", ...more] = word.split(":")
      const at = rules.findIndex((each) => each.name.toLowerCase() === name.toLowerCase())
      const rule = rules[at]
      if (rule === undefined) return Result.fail(`there is no rule ${name}`)
      if (changes.has(rule.name)) return Result.fail(`${rule.name} is named twice`)
      if (more.length === 0 && value.toLowerCase() === "off") {
        changes.set(rule.name, "off")
        continue
      }
      const limit = more.length === 0 && /^\d{1,9}(\.\d{1,3})?$/.test(value) ? Number(value) : Number.NaN
      if (rule.limit === undefined || !(limit >= rule.limit.least && limit <= rule.limit.most)) {
        return Result.fail(bounds[at] ?? "")
      }
      changes.set(rule.name, limit)
    }
    return Result.succeed(changes)
  }
}
