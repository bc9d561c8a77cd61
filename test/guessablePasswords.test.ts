import { assert, describe, it } from "@effect/vitest"
import { guessablePasswords } from "../src/guessablePasswords.ts"

describe("a password in an address", () => {
  const isNamed = (password: string) =>
    guessablePasswords({ DATABASE_URL: ` postgres://observer:${password}@127.0.0.1/observer` }).includes("DATABASE_URL")

  it("can be guessed when it is short, or a word", () => {
    for (const password of ["observer", "postgres", "symbol", "a1b2c3!", "x", "%2F%40%3A"])
      assert.isTrue(isNamed(password), password)
    for (const password of ["a1b2c3d4", "correctHorseBattery"]) assert.isFalse(isNamed(password), password)
  })

  it("is none where there is none", () => {
    const env = {
      DATABASE_URL: "postgres://observer@/observer?host=/run",
      OBSERVER_NODE: "main",
      KIS_REST_URL: undefined
    }
    assert.deepStrictEqual(guessablePasswords(env), [])
  })
})
