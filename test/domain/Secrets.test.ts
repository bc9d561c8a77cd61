import { assert, describe, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import { hidden, keepSecret, withoutSecrets } from "../../src/domain/Secrets.ts"

const Secret = Schema.String.check(Schema.isPattern(/^[\x20-\x7e]{12,60}$/))

/** Ways in which a text comes to be quoted, by other programs' hands. */
const ways: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  json: (text) => JSON.stringify({ text }),
  "json in json": (text) => JSON.stringify(JSON.stringify({ text: JSON.stringify(text) })),
  "json with escaped slashes": (text) => JSON.stringify(text).replaceAll("/", "\\/"),
  "part of an address": (text) => `?q=${encodeURIComponent(text)}&r=1`,
  "lower case part of an address": (text) => encodeURIComponent(text).replace(/%../g, (pair) => pair.toLowerCase()),
  "part of an address, twice": (text) => encodeURIComponent(encodeURIComponent(text)),
  form: (text) => new URLSearchParams({ text }).toString(),
  "json in an address": (text) => encodeURIComponent(JSON.stringify(text).replaceAll("/", "\\/"))
}

describe("a secret", () => {
  it.prop("is found in whichever way it is quoted, and what is around it stays", [Secret], ([secret]) => {
    // Blanks at its ends are no part of a secret, and where only they differ nothing could be told apart.
    const text = `x${secret}x`
    keepSecret(Redacted.make(text))
    for (const [way, quote] of Object.entries(ways)) {
      const clean = withoutSecrets(`before ${quote(text)} after`)
      assert.include(clean, hidden, way)
      assert.match(clean, /^before .* after$/)
      assert.notInclude(clean, text.slice(1, -1), way)
    }
  })

  it("in an address is its password, and a long path, as webhooks have it", () => {
    keepSecret(Redacted.make("postgres://observer:p%40ss%2Fword@db.example:5432/market"))
    keepSecret(Redacted.make("https://hooks.example/services/T0AAA/B0BBB/cccdddeee"))
    assert.strictEqual(withoutSecrets("p@ss/word of observer at db.example"), `${hidden} of observer at db.example`)
    assert.strictEqual(withoutSecrets("POST /services/T0AAA/B0BBB/cccdddeee: 404"), `POST ${hidden}: 404`)
    assert.strictEqual(withoutSecrets("connect hooks.example /market"), "connect hooks.example /market")
  })

  it("that is a short word is left in texts", () => {
    keepSecret(Redacted.make("main"))
    assert.strictEqual(withoutSecrets("the main account"), "the main account")
  })
})
