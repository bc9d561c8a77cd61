import type { Rule } from "./Rule.ts"
import { rules } from "./rules.ts"

const span = (seconds: number): string =>
  seconds === 0 ? "at once" : `after ${seconds < 120 ? `${seconds} s` : `${seconds / 60} min`}`

const when: Readonly<Record<Rule["applies"], string>> = {
  always: "At any time.",
  open: "While the market is not closed.",
  continuous: "In continuous trading."
}

const section = (rule: Rule): string =>
  [
    `### ${rule.name}`,
    "",
    `**${rule.severity === "critical" ? "Critical" : "Warning"}: ${rule.title}.** ${rule.meaning}`,
    "",
    `- What to do: ${rule.action}`,
    `- ${when[rule.applies]} Told ${span(rule.fire_seconds)}, over ${span(rule.recover_seconds)}.`,
    ...(rule.limit === undefined
      ? []
      : [
          `- Limit: ${rule.limit.default} ${rule.limit.unit}; \`OBSERVER_ALERT_RULES=${rule.name}:${rule.limit.default}\` takes ${rule.limit.least} to ${rule.limit.most}.`
        ])
  ].join("\n")

/** Every rule as a section of docs/alarms.md. */
export const renderRules = (): string => rules.map(section).join("\n\n")
