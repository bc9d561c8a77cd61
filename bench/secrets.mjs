// What taking secrets out of texts costs: `npm run build && node bench/secrets.mjs [keys] [tokens of each]`.
// Of each key app key and secret are known, and as many tokens and approval keys as were issued have come to be known one after
// the other; beside them the secrets of other settings. A log line of 300 characters and an answer of 20 kB hold none of them.
import { Redacted } from "effect"
import * as Secrets from "../dist/domain/Secrets.js"

const keys = Number(process.argv[2] ?? 8)
const tokens = Number(process.argv[3] ?? 60)
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
const random = (length, of = letters) =>
  Array.from({ length }, () => of[Math.floor(Math.random() * of.length)]).join("")
const keep = (text) => Secrets.keepSecret(Redacted.make(text))
const issue = (holder, text) => Secrets.keepIssued(holder, Redacted.make(text))

keep(`postgres://observer:${random(12)}@127.0.0.1:5432/observer`)
for (const at of ["slack", "webhook", "ping"]) keep(`https://${at}.example/services/${random(9)}/${random(24)}`)
keep(random(32))
const startedMs = performance.now()
for (let key = 0; key < keys; key++) {
  keep(`PS${random(34)}`)
  keep(random(180, `${letters}+/`))
  for (let count = 0; count < tokens; count++) {
    issue(
      `token ${key}`,
      `eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.${random(220, `${letters}_-`)}.${random(86, `${letters}_-`)}`
    )
    issue(`approval ${key}`, `${random(8)}-${random(4)}-${random(4)}-${random(12)}`)
  }
}
const keeping_ms = performance.now() - startedMs

const line = JSON.stringify({
  time: new Date().toISOString(),
  level: "INFO",
  message: "the stream is up again and every subscription was accepted by the broker",
  fiber: 1234,
  account: "main",
  symbols: "005930 000660 035420 035720 051910 006400 207940 068270 005380 000270",
  waited_seconds: 12.5,
  reason: "the connection was closed"
}).padEnd(300)
const body = JSON.stringify(Array.from({ length: 70 }, () => JSON.parse(line)))

/** Of the processor's time, for the machine may have other work. */
const cost = (text, take, times) => {
  const rounds = Array.from({ length: 7 }, () => {
    const before = process.cpuUsage()
    for (let count = 0; count < times; count++) take(text)
    return process.cpuUsage(before).user / times
  })
  return `${rounds.sort((a, b) => a - b)[3].toFixed(2)} µs`
}
console.log(`${keys} keys, ${tokens} tokens and approval keys of each`)
console.log(`keeping them all: ${keeping_ms.toFixed(1)} ms`)
console.log(`a line of ${line.length}: ${cost(line, Secrets.valuesWithoutSecrets, 20_000)}`)
console.log(`an answer of ${body.length}: ${cost(body, Secrets.valuesWithoutSecrets, 500)}`)
