// `npm run settings`: writes what the code says about its settings and alarms into .env.example, the READMEs and docs/alarms.md.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { projectRoot, ready } from "./setup/ready.mjs"

await ready()
const { renderEnvExample, renderSettingsTable } = await import("../dist/SettingsText.js")

writeFileSync(join(projectRoot, ".env.example"), renderEnvExample())
for (const [name, language] of [
  ["README.md", "en"],
  ["README.ko.md", "ko"]
]) {
  const path = join(projectRoot, name)
  if (!existsSync(path)) continue
  const text = readFileSync(path, "utf8")
  const between = /(<!-- settings -->\n)[\s\S]*?(<!-- \/settings -->)/
  writeFileSync(
    path,
    text.replace(between, (_, open, close) => `${open}${renderSettingsTable(language)}\n${close}`)
  )
}

const { renderRules } = await import("../dist/ops/alerts/renderRules.js")
const alarms = join(projectRoot, "docs", "alarms.md")
writeFileSync(
  alarms,
  readFileSync(alarms, "utf8").replace(
    /(<!-- rules -->\n)[\s\S]*?(<!-- \/rules -->)/,
    (_, open, close) => `${open}\n${renderRules()}\n\n${close}`
  )
)
