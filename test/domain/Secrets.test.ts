import { assert, describe, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import { hidden, keepIssued, keepSecret, valuesWithoutSecrets, withoutSecrets } from "../../src/domain/Secrets.ts"

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

  it("that is a word is taken out only where it stands alone", () => {
    keepSecret(Redacted.make("postgres://someone:quotation@db.example/market"))
    for (const text of ["quotation_total", "my-quotation", "quotations", "Requotation", "quotation2"]) {
      assert.strictEqual(withoutSecrets(text), text)
    }
    const alone = [
      '"quotation"',
      "a=quotation&",
      ":quotation@",
      "%3Aquotation%40",
      "\\nquotation\\n",
      "\u001b[2mquotation"
    ]
    for (const text of alone) {
      assert.strictEqual(withoutSecrets(text), text.replace("quotation", hidden))
    }
  })

  it("that is long is found inside a word", () => {
    keepSecret(Redacted.make("k3yOfSixteen0000"))
    assert.strictEqual(withoutSecrets("xk3yOfSixteen0000x_y"), `x${hidden}x_y`)
  })

  it("that is a word is left in names, and what is JSON stays JSON", () => {
    keepSecret(Redacted.make("settlement"))
    keepSecret(Redacted.make('endsIn\\"\\'))
    const told = { settlement: 1, deeper: [{ settlement: "the settlement of x", "a settlement": 9007199254740991 }] }
    const clean = valuesWithoutSecrets(JSON.stringify(told, undefined, 1))
    assert.deepStrictEqual(JSON.parse(clean), {
      settlement: 1,
      deeper: [{ settlement: `the ${hidden} of x`, "a settlement": 9007199254740991 }]
    })
    const quoting = JSON.stringify({ said: 'endsIn\\"\\', next: 'endsIn\\"\\"x' })
    assert.deepStrictEqual(JSON.parse(valuesWithoutSecrets(quoting)), { said: hidden, next: `${hidden}"x` })
    const metrics = '# TYPE settlement counter\nsettlement{settlement="settlement",b="a \\"settlement\\""} 1\n'
    const cleaned = `# TYPE settlement counter\nsettlement{settlement="${hidden}",b="a \\"${hidden}\\""} 1\n`
    assert.strictEqual(valuesWithoutSecrets(metrics), cleaned)
  })

  it("that is no word is in no name either", () => {
    keepSecret(Redacted.make("PSkeyThatIsLongEnough01"))
    assert.strictEqual(valuesWithoutSecrets('{"PSkeyThatIsLongEnough01":1}'), `{"${hidden}":1}`)
  })

  it("that was issued is known until two more were to the same holder, and those of the settings to the end", () => {
    keepSecret(Redacted.make("settingOfThisProcess01"))
    keepIssued("token of a", Redacted.make("token-of-the-first-day-a"))
    for (let day = 0; day < 1_000; day++) keepIssued("token of b", Redacted.make(`token-of-day-${day}-of-b.`))
    const isKnown = (text: string) => withoutSecrets(text) === hidden
    assert.isTrue(isKnown("settingOfThisProcess01"))
    assert.isTrue(isKnown("token-of-the-first-day-a"))
    assert.isTrue(isKnown("token-of-day-999-of-b."))
    assert.isTrue(isKnown("token-of-day-998-of-b."))
    assert.isFalse(isKnown("token-of-day-997-of-b."))
    // One that comes back is the newest again.
    keepIssued("token of b", Redacted.make("token-of-day-998-of-b."))
    keepIssued("token of b", Redacted.make("token-of-day-1000-of-b."))
    assert.isTrue(isKnown("token-of-day-998-of-b."))
    assert.isFalse(isKnown("token-of-day-999-of-b."))
  })

  it("full of backslashes, or of what they are encoded to, is looked for in no more time than others", () => {
    const slash = "\\"
    const repeated = [
      slash,
      "%5C",
      "%255c",
      `${slash}"`,
      `"${slash}`,
      `${slash}%`,
      "%25",
      "%",
      `%5C${slash}`,
      `%5C"`,
      "%5Ca"
    ]
    for (const [at, part] of repeated.entries()) {
      const many = part.repeat(24)
      const secret = `plainRun${at}${many}end${at}`
      for (const each of [
        secret,
        `${many}plainRun${at}!`,
        `${many}q${many}plainRun${at}`,
        `plainRun${at}${many}q${many}`
      ]) {
        keepSecret(Redacted.make(each))
      }
      for (const of of repeated) {
        // All but the end of it, so that every other way of reading it would be tried.
        const text = `${of.repeat(2_000)}plainRun${at}${of.repeat(2_000)}`
        assert.include(withoutSecrets(text), of.repeat(1_900))
        assert.include(valuesWithoutSecrets(JSON.stringify(text)), `plainRun${at}`)
      }
      for (const quote of [(text: string) => text, encodeURIComponent, (text: string) => JSON.stringify(text)]) {
        assert.notInclude(withoutSecrets(`x ${quote(secret)} x`), "plainRun", part)
      }
    }
    // Nor is each backslash of a run tried as its first.
    const run = `${slash.repeat(300_000)}plainRun0`
    assert.strictEqual(withoutSecrets(run), run)
  })
})
