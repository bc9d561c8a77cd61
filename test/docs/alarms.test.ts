import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { channelKinds } from "../../src/ops/alerts/channels.ts"
import { renderRules } from "../../src/ops/alerts/renderRules.ts"
import { rules } from "../../src/ops/alerts/rules.ts"

const text = readFileSync(fileURLToPath(new URL("../../docs/alarms.md", import.meta.url)), "utf8")

describe("docs/alarms.md", () => {
  it("has every rule as the table has it (npm run settings writes it)", () => {
    const [, between] = /<!-- rules -->\n([\s\S]*?)<!-- \/rules -->/.exec(text) ?? []
    assert.strictEqual(between?.trim(), renderRules())
    assert.strictEqual((between?.match(/^### /gm) ?? []).length, rules.length)
  })

  it("says how each channel is set up", () => {
    const headings = (text.match(/^### .+$/gm) ?? []).map((line) => line.slice(4).replace("-", "").toLowerCase())
    for (const { name } of channelKinds) assert.include(headings, name)
  })
})
