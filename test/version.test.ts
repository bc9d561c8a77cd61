import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { version } from "../src/version.ts"

it("the version is the one of package.json", () => {
  assert.strictEqual(version, JSON.parse(readFileSync("package.json", "utf8")).version)
})
