import { assert, describe, it } from "@effect/vitest"
import { secretsIn } from "../src/secretsIn.ts"

describe("the secrets of an environment", () => {
  it("are what stands where one belongs, a password in any address, and what a misspelt name holds", () => {
    const env = {
      OBSERVER_NODE: "seoul-1-seoul-1-seoul-1",
      KIS_APP_SECRET: " not/usable as it is ",
      DATABASE_URL: "mysql://a:b@c/d",
      KIS_REST_URL: "http://user:gatewayPassword@gateway.example",
      KIS_APPSECRET: "misspelt-and-long-enough",
      KIS_ENVV: "live",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20one,x-key=two",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-key=three%",
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://me:pass%20word@collector.example",
      PATH: "/usr/bin:/bin:/usr/local/bin"
    }
    assert.deepStrictEqual(secretsIn(env), [
      "mysql://a:b@c/d",
      "not/usable as it is",
      "gatewayPassword",
      "misspelt-and-long-enough",
      "Bearer%20one",
      "Bearer one",
      "one",
      "two",
      "three%",
      "pass%20word",
      "pass word"
    ])
  })
})
