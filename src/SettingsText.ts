import { type Setting, table } from "./Settings.ts"
import { koreanAllowed, koreanMeaning } from "./SettingsKorean.ts"

type Key = keyof typeof table

const entries = Object.entries(table) as ReadonlyArray<readonly [Key, Setting<unknown>]>

/** The text of `.env.example`: every setting with its default and one line of meaning. */
export const renderEnvExample = (): string =>
  [
    "# Every setting of Observer with its default. Copy to .env and change what you need; the environment wins over .env.",
    "# A blank value is the same as none.",
    ...entries.flatMap(([, each]) => [
      "",
      `# ${each.meaning} Allowed: ${each.value.allowed}.`,
      `${each.name}=${each.default ?? ""}`
    ]),
    ""
  ].join("\n")

type Language = "en" | "ko"

const headings: Readonly<Record<Language, string>> = {
  en: "| Variable | Default | Meaning | Allowed |",
  ko: "| 환경 변수 | 기본값 | 의미 | 허용 값 |"
}

const also: Readonly<Record<Language, string>> = { en: "also", ko: "별칭" }

/** The settings as a Markdown table, for the README of each language. */
export const renderSettingsTable = (language: Language): string =>
  [
    headings[language],
    "| --- | --- | --- | --- |",
    ...entries.map(([key, { aliases, default: text, meaning, name, value }]) => {
      const names = [`\`${name}\``, ...aliases.map((alias) => `${also[language]} \`${alias}\``)].join("<br>")
      const words = language === "en" ? meaning : koreanMeaning[key]
      const allowed = language === "en" ? value.allowed : (koreanAllowed(value.allowed) ?? value.allowed)
      return `| ${names} | ${text === undefined ? "" : `\`${text}\``} | ${words} | ${allowed} |`
    })
  ].join("\n")
