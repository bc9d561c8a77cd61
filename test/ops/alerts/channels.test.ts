import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { createServer, type AddressInfo, type Socket } from "node:net"
import { withoutSecrets } from "../../../src/domain/Secrets.ts"
import type { AlertEvent, AlertMessage } from "../../../src/ops/alerts/AlertMessage.ts"
import type { DeliveryFailed } from "../../../src/ops/alerts/Channel.ts"
import { openChannels } from "../../../src/ops/alerts/channels.ts"
import type { ChannelSettings } from "../../../src/ops/alerts/channels/ChannelKind.ts"
import { mailServer, selfSigned } from "../../support/mailServer.ts"
import { closedPort, messageServer } from "../../support/messageServer.ts"
import { passUntil, scratchFolder } from "../../support/virtualTime.ts"

const atMs = Date.UTC(2026, 10, 24, 0, 42, 5)
const event: AlertEvent = {
  event: "fired",
  rule: "sweepSilent",
  severity: "critical",
  title: "The sweep has no answer",
  sinceMs: Date.UTC(2026, 10, 24, 0, 30, 5),
  marketSinceMs: Date.UTC(2026, 10, 24, 0, 30, 5),
  duration_seconds: 720,
  words: "no answer for 61 s <html> & more",
  meaning: "No prices.",
  action: "Look."
}
const message: AlertMessage = { node: "seoul-1", atMs, events: [event], undelivered: 0 }
const botToken = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
const slackPath = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
const none: ChannelSettings = {
  alertSlack: undefined,
  alertTelegram: undefined,
  alertWebhook: undefined,
  alertWebhookSecret: undefined,
  alertSmtp: undefined,
  alertEmail: undefined
}

/** Sends through the one channel that is set; gives why it failed. Time goes by only where a server says nothing. */
const sent = (settings: Partial<ChannelSettings>, told = message, step_ms = 0) =>
  Effect.gen(function* () {
    const [channel, ...more] = yield* openChannels({ ...none, ...settings })
    assert.isDefined(channel)
    assert.isEmpty(more)
    let isDone = false
    const sending = channel
      .send(told)
      .pipe(
        Effect.match({ onFailure: (error): DeliveryFailed | undefined => error, onSuccess: () => undefined }),
        Effect.ensuring(Effect.sync(() => (isDone = true)))
      )
    const fiber = yield* Effect.forkChild(sending)
    yield* passUntil(() => isDone, step_ms)
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(NodeHttpClient.layerUndici))

const http = {
  slack: (url: string) => ({ alertSlack: Redacted.make(`${url}${slackPath}`) }),
  telegram: (url: string) => ({ alertTelegram: Redacted.make(`${url}/bot${botToken}/-100123`) }),
  webhook: (url: string) => ({ alertWebhook: Redacted.make(`${url}/hook?key=0123456789abcdef0123`) })
}
const secretsOf = [botToken, slackPath, "XXXXXXXXXXXXXXXXXXXXXXXX", "0123456789abcdef0123"]

describe("Slack", () => {
  it.effect("gets the text with its own characters escaped", () =>
    Effect.gen(function* () {
      const { posted, url } = yield* messageServer()
      assert.isUndefined(yield* sent(http.slack(url)))
      assert.deepInclude(posted[0], { method: "POST", path: slackPath })
      const { text } = JSON.parse(posted[0]?.body ?? "") as { readonly text: string }
      assert.include(text, "CRITICAL: The sweep has no answer")
      assert.include(text, "&lt;html&gt; &amp; more")
    })
  )
})

describe("Telegram", () => {
  it.effect("gets the text for a chat, through the bot of the token", () =>
    Effect.gen(function* () {
      const { posted, url } = yield* messageServer(() => ({ status: 200, body: '{"ok":true}' }))
      assert.isUndefined(yield* sent(http.telegram(url)))
      assert.deepInclude(posted[0], { method: "POST", path: `/bot${botToken}/sendMessage` })
      assert.deepInclude(JSON.parse(posted[0]?.body ?? "") as object, { chat_id: "-100123" })
    })
  )

  it.effect("never gets more than it takes, however much there is to say", () =>
    Effect.gen(function* () {
      const { posted, url } = yield* messageServer()
      const events = Array.from({ length: 100 }, () => ({ ...event, words: "w".repeat(400) }))
      assert.isUndefined(yield* sent(http.telegram(url), { ...message, events, undelivered: 3 }))
      const { text } = JSON.parse(posted[0]?.body ?? "") as { readonly text: string }
      assert.isAtMost(text.length, 4_096)
      assert.match(text, /… and \d+ more; \/health has what fires now\.\n\n3 earlier messages could not be delivered/)
    })
  )

  it.effect("says in its own words how long it is to be left alone", () =>
    Effect.gen(function* () {
      const body = '{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":35}}'
      const { url } = yield* messageServer(() => ({ status: 429, body }))
      const failure = yield* sent(http.telegram(url))
      assert.deepInclude(failure, { isRetryable: true, retryAfter_ms: 35_000 })
    })
  )
})

describe("a webhook", () => {
  it.effect("gets JSON of the documented form, signed with the secret that is set", () =>
    Effect.gen(function* () {
      const { posted, url } = yield* messageServer()
      const secret = "a secret of the receiver's"
      const settings = { ...http.webhook(url), alertWebhookSecret: Redacted.make(secret) }
      assert.isUndefined(yield* sent(settings))
      const { body = "", headers, path } = posted[0] ?? {}
      assert.strictEqual(path, "/hook?key=0123456789abcdef0123")
      const hmac = createHmac("sha256", secret).update(body).digest("hex")
      assert.strictEqual(headers?.["x-observer-signature"], `sha256=${hmac}`)
      const { text, ...rest } = JSON.parse(body) as Record<string, unknown>
      assert.include(text, "CRITICAL: The sweep has no answer")
      assert.deepStrictEqual(rest, {
        v: 1,
        node: "seoul-1",
        at: "2026-11-24T00:42:05.000Z",
        undelivered: 0,
        alerts: [
          {
            event: "fired",
            rule: "sweepSilent",
            severity: "critical",
            title: "The sweep has no answer",
            since: "2026-11-24T00:30:05.000Z",
            duration_seconds: 720,
            words: "no answer for 61 s <html> & more",
            meaning: "No prices.",
            action: "Look."
          }
        ]
      })
    })
  )
})

describe("every channel over HTTP", () => {
  for (const [name, set] of Object.entries(http)) {
    const failing = (
      told: string,
      answer: Parameters<typeof messageServer>[0],
      expected: Partial<DeliveryFailed>,
      step_ms = 0
    ) =>
      it.effect(`${name}: ${told}`, () =>
        Effect.gen(function* () {
          const { url } = yield* messageServer(answer)
          const failure = yield* sent(set(url), message, step_ms)
          assert.deepInclude(failure, expected)
          for (const secret of secretsOf) assert.notInclude(failure?.message, secret)
        })
      )
    failing(
      "may be tried again after 429, when the other side says so",
      () => ({ status: 429, headers: { "retry-after": "7" } }),
      { isRetryable: true, retryAfter_ms: 7_000 }
    )
    failing("may be tried again after 500", () => ({ status: 500, body: "oops" }), {
      isRetryable: true,
      reason: "answers 500: oops"
    })
    failing(
      "is not tried again after 404, whose words are told without the address",
      ({ path }) => ({ status: 404, body: `Cannot POST ${path}` }),
      {
        isRetryable: false,
        reason: "answers 404: Cannot POST ***"
      }
    )
    const late = { isRetryable: true, reason: "no answer in 10 s" }
    failing("has no answer from a server that hangs", () => "hang", late, 100)

    it.effect(`${name}: does not follow a redirect to another host`, () =>
      Effect.gen(function* () {
        const other = yield* messageServer()
        const { url } = yield* messageServer(() => ({ status: 307, headers: { location: `${other.url}/x` } }))
        const failure = yield* sent(set(url))
        assert.deepInclude(failure, { isRetryable: false })
        assert.include(failure?.reason, "redirect (307)")
        assert.isEmpty(other.posted)
      })
    )

    it.effect(`${name}: says so where nobody listens`, () =>
      Effect.gen(function* () {
        const failure = yield* sent(set(`http://127.0.0.1:${yield* closedPort}`))
        assert.deepInclude(failure, { channel: name, isRetryable: true, reason: "ECONNREFUSED" })
      })
    )
  }

  it.effect("lets its addresses, tokens and passwords be taken out of every text, and no common words", () =>
    Effect.gen(function* () {
      yield* openChannels({
        ...none,
        ...http.slack("https://hooks.slack.com"),
        alertTelegram: Redacted.make(`${botToken}/@channel`),
        alertWebhookSecret: Redacted.make("the webhook's own secret"),
        alertSmtp: Redacted.make("smtp://ops%40example.com:pass%20word@mail.example.com")
      })
      for (const secret of [
        `https://hooks.slack.com${slackPath}`,
        "XXXXXXXXXXXXXXXXXXXXXXXX",
        botToken,
        "the webhook's own secret",
        "pass word"
      ]) {
        assert.notInclude(withoutSecrets(`refused: ${secret}.`), secret)
      }
      const words = "services at hooks.slack.com and mail.example.com"
      assert.strictEqual(withoutSecrets(words), words)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )
})

const password = "p@ss word"
const smtp = (port: number, query = "") =>
  Redacted.make(`smtp://observer%40example.com:${encodeURIComponent(password)}@127.0.0.1:${port}${query}`)
const alertEmail = ["ops@example.com", "boss@example.com"]
const onAuth: NonNullable<Parameters<typeof mailServer>[0]["onAuth"]> = (
  { password: given, username },
  _session,
  done
) => (given === password ? done(null, { user: username ?? "" }) : done(new Error(`no login with ${given}`)))

describe("e-mail", () => {
  const withCertificate = Effect.gen(function* () {
    const certificate = selfSigned(yield* scratchFolder)
    if (certificate === undefined) yield* Effect.sync(() => console.warn("mail over TLS is not tested: no openssl"))
    return certificate
  })

  it.effect("goes to every address, by STARTTLS with a certificate that is trusted, after a login", () =>
    Effect.gen(function* () {
      const certificate = yield* withCertificate
      if (certificate === undefined) return
      const { mails, port } = yield* mailServer({ ...certificate, ca: undefined, onAuth })
      const alertSmtp = smtp(port, `?ca=${encodeURIComponent(certificate.ca)}`)
      assert.isUndefined(yield* sent({ alertSmtp, alertEmail }))
      assert.deepInclude(mails[0], {
        from: "observer@example.com",
        to: alertEmail,
        isSecure: true,
        user: "observer@example.com"
      })
      const { text = "" } = mails[0] ?? {}
      assert.include(text, "Subject: [seoul-1] CRITICAL: The sweep has no answer")
      assert.include(text, "seoul-1, since Tue 2026-11-24 09:30:05 KST")
      assert.include(text.toLowerCase(), "auto-submitted: auto-generated")
    })
  )

  it.effect("does not go to a server whose certificate nobody trusts, and says how to trust it", () =>
    Effect.gen(function* () {
      const certificate = yield* withCertificate
      if (certificate === undefined) return
      const { mails, port } = yield* mailServer({ ...certificate, ca: undefined, onAuth })
      const failure = yield* sent({ alertSmtp: smtp(port), alertEmail })
      assert.deepInclude(failure, { isRetryable: false })
      assert.match(failure?.reason ?? "", /self-signed certificate; ca=file after the \? of OBSERVER_ALERT_SMTP/)
      assert.isEmpty(mails)
    })
  )

  it.effect("does not go to a server without STARTTLS, unless that is asked for", () =>
    Effect.gen(function* () {
      const { mails, port } = yield* mailServer({
        hideSTARTTLS: true,
        disabledCommands: ["STARTTLS"],
        onAuth,
        allowInsecureAuth: true
      })
      const failure = yield* sent({ alertSmtp: smtp(port), alertEmail })
      assert.deepInclude(failure, { isRetryable: false })
      assert.isEmpty(mails)
      assert.isUndefined(yield* sent({ alertSmtp: smtp(port, "?tls=off&from=node@example.com"), alertEmail }))
      assert.deepInclude(mails[0], { from: "node@example.com", isSecure: false })
    })
  )

  it.effect("goes by TLS from the first byte with smtps", () =>
    Effect.gen(function* () {
      const certificate = yield* withCertificate
      if (certificate === undefined) return
      const { mails, port } = yield* mailServer({ ...certificate, ca: undefined, secure: true, authOptional: true })
      const alertSmtp = Redacted.make(`smtps://127.0.0.1:${port}?ca=${encodeURIComponent(certificate.ca)}`)
      assert.isUndefined(yield* sent({ alertSmtp, alertEmail }))
      assert.deepInclude(mails[0], { from: "ops@example.com", isSecure: true })
    })
  )

  it.effect("says that the login is wrong, without the password, and is not tried again", () =>
    Effect.gen(function* () {
      const { port } = yield* mailServer({
        allowInsecureAuth: true,
        onAuth: (_auth, _session, done) => done(new Error(`no login with ${password}`))
      })
      const failure = yield* sent({ alertSmtp: smtp(port, "?tls=off"), alertEmail })
      assert.deepInclude(failure, { isRetryable: false })
      assert.include(failure?.reason, "no login with ***")
    })
  )

  it.effect("may be tried again when the server cannot take the login just now", () =>
    Effect.gen(function* () {
      const { port } = yield* mailServer({
        allowInsecureAuth: true,
        onAuth: (_auth, _session, done) => done(Object.assign(new Error("try later"), { responseCode: 454 }))
      })
      const failure = yield* sent({ alertSmtp: smtp(port, "?tls=off"), alertEmail })
      assert.deepInclude(failure, { isRetryable: true })
    })
  )

  it.effect("may be tried again where nobody listens, and where the server says nothing", () =>
    Effect.gen(function* () {
      const refused = yield* sent({ alertSmtp: smtp(yield* closedPort), alertEmail })
      assert.deepInclude(refused, { isRetryable: true })
      assert.include(refused?.reason, "ECONNREFUSED")
      const sockets = new Set<Socket>()
      const mute = createServer((socket) => void sockets.add(socket))
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void mute.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () =>
          Effect.sync(() => {
            for (const socket of sockets) socket.destroy()
            mute.close()
          })
      )
      const { port } = mute.address() as AddressInfo
      const silent = yield* sent({ alertSmtp: smtp(port), alertEmail }, message, 100)
      assert.deepInclude(silent, { isRetryable: true, reason: "no answer in 30 s" })
    })
  )
})
