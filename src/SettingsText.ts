import { table } from "./Settings.ts"

const every = Object.values(table)

/** The text of `.env.example`: every setting with its default and one line of meaning. */
export const renderEnvExample = (): string =>
  [
    "# Every setting of Observer with its default. Copy to .env and change what you need; the environment wins over .env.",
    "# A blank value is the same as none.",
    ...every.flatMap((each) => [
      "",
      `# ${each.meaning} Allowed: ${each.value.allowed}.`,
      `${each.name}=${each.default ?? ""}`
    ]),
    ""
  ].join("\n")

/** The settings as a Markdown table, for the READMEs. */
export const renderSettingsTable = (): string =>
  [
    "| Variable | Default | Meaning | Allowed |",
    "| --- | --- | --- | --- |",
    ...every.map(({ aliases, default: text, meaning, name, value }) => {
      const also = aliases.map((alias) => `<br>also \`${alias}\``).join("")
      return `| \`${name}\`${also} | ${text === undefined ? "" : `\`${text}\``} | ${meaning} | ${value.allowed} |`
    })
  ].join("\n")
