import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const page = readFileSync(join(root, "docs/telemetry.md"), "utf8")

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(root, "src", file), "utf8"))

/** The first cells of a section's table. */
const namesIn = (section: string): ReadonlyArray<string> => {
  const text = page.slice(page.indexOf(`\n## ${section}\n`)).split("\n## ")[1] ?? ""
  return [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name ?? "")
}

const made = (pattern: RegExp) =>
  [...new Set(sources.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name ?? "")))].sort()

describe("the page about telemetry", () => {
  it("has a row for every metric of the program, and no other", () => {
    const metrics = made(/(?:gauge|counter|histogram)\(\s*"(observer_[a-z_]+)"/g)
    assert.isAbove(metrics.length, 50)
    assert.deepStrictEqual(namesIn("Metrics").toSorted(), metrics)
  })

  it("has a row for every span that is made by name", () => {
    const spans = made(/"((?:sweep|kis|stream|journal|replay|backup)\.[a-z]+)"/g)
    assert.isAbove(spans.length, 5)
    assert.includeMembers([...namesIn("Spans")], spans)
  })
})
