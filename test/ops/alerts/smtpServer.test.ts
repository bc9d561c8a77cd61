import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { mailAddresses, readSmtpServer } from "../../../src/ops/alerts/channels/smtpServer.ts"
import { readTelegramTarget } from "../../../src/ops/alerts/channels/telegramTarget.ts"

describe("OBSERVER_ALERT_SMTP", () => {
  it("is a server with STARTTLS or TLS, a login, a sender and a certificate", () => {
    assert.deepStrictEqual(Result.getOrThrow(readSmtpServer("smtp://me%40example.com:a%20b@mail.example.com")), {
      host: "mail.example.com",
      port: 587,
      tls: "start",
      user: "me@example.com",
      password: "a b",
      from: "me@example.com",
      ca: undefined
    })
    assert.deepStrictEqual(
      Result.getOrThrow(readSmtpServer("smtps://relay.example.com:2465?from=node@example.com&ca=/etc/ca.pem")),
      {
        host: "relay.example.com",
        port: 2465,
        tls: "always",
        user: undefined,
        password: undefined,
        from: "node@example.com",
        ca: "/etc/ca.pem"
      }
    )
  })

  for (const [text, why] of [
    ["http://mail.example.com", ""],
    ["smtp://", "it has no host"],
    ["smtp://mail.example.com/box", "it has a path"],
    ["smtp://mail.example.com?insecure=1", "it takes tls, from, ca after the ?"],
    ["smtp://me:pw@mail.example.com?tls=off", "a password is not sent without TLS to another machine"],
    ["smtps://mail.example.com?tls=off", "smtps is TLS; tls=off needs smtp"],
    ["smtp://mail.example.com?tls=on", "tls is off or not named"],
    ["smtp://mail.example.com?from=me", "from is not an address"],
    ["smtp://me:100%@mail.example.com", "a % in user or password is written %25"]
  ] as const) {
    it(`is not ${text}`, () => {
      const read = readSmtpServer(text)
      assert.strictEqual(Result.isFailure(read) ? read.failure : undefined, why)
    })
  }

  it("sends to addresses, each once, and to nothing else", () => {
    assert.deepStrictEqual(Result.getOrThrow(mailAddresses.parse("a@b.c, d@e.f a@b.c")), ["a@b.c", "d@e.f"])
    for (const text of ["a", "Name <a@b.c>", ","]) {
      assert.isTrue(Result.isFailure(mailAddresses.parse(text)), text)
    }
  })
})

describe("OBSERVER_ALERT_TELEGRAM", () => {
  it("is a token and a chat, and a server of one's own before them", () => {
    const token = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
    const server = "https://api.telegram.org"
    assert.deepStrictEqual(readTelegramTarget(`${token}/-100123`), { server, token, chat: "-100123" })
    assert.deepStrictEqual(readTelegramTarget(`${token}/@alarms`), { server, token, chat: "@alarms" })
    assert.deepStrictEqual(readTelegramTarget(`http://127.0.0.1:8081/bot${token}/7`), {
      server: "http://127.0.0.1:8081",
      token,
      chat: "7"
    })
    for (const text of [token, `${token}/`, `bot${token}/7`, "123:short/7", `${token}/alarms`]) {
      assert.isUndefined(readTelegramTarget(text), text)
    }
  })
})
