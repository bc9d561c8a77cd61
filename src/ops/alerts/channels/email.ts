import { Effect, Redacted, Result } from "effect"
import { readFile } from "node:fs/promises"
import { rootCertificates } from "node:tls"
import { type AlertMessage, renderText, renderTitle } from "../AlertMessage.ts"
import { DeliveryFailed } from "../Channel.ts"
import type { ChannelKind } from "./ChannelKind.ts"
import { without } from "./secretParts.ts"
import { readSmtpServer, type SmtpServer } from "./smtpServer.ts"

const text_max = 16_000
/** Of each step of the conversation with the server, and of all of it. */
const step_ms = 8_000
const delivery_timeout = "30 seconds"

interface MailError {
  readonly message?: string
  readonly code?: string
  readonly responseCode?: number
}

const certificateWords = /self.signed|certificate|altname/i

/**
 * What is said for good: the login is wrong, the address is not taken, the certificate is not trusted. A server that answers
 * decides by its own code: 454 is a login that may be taken later.
 */
const isFinal = ({ code = "", message = "", responseCode }: MailError): boolean =>
  responseCode === undefined
    ? ["EAUTH", "ETLS", "EENVELOPE"].includes(code) || certificateWords.test(message)
    : responseCode >= 500

const mail = async (server: SmtpServer, to: ReadonlyArray<string>, message: AlertMessage): Promise<void> => {
  // The library costs memory that only who sends mail should pay.
  const { createTransport } = await import("nodemailer")
  const trusted = server.ca === undefined ? undefined : [...rootCertificates, await readFile(server.ca, "utf8")]
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.tls === "always",
    requireTLS: server.tls === "start",
    ignoreTLS: server.tls === "off",
    ...(server.user === undefined ? {} : { auth: { user: server.user, pass: server.password ?? "" } }),
    ...(trusted === undefined ? {} : { tls: { ca: trusted } }),
    connectionTimeout: step_ms,
    greetingTimeout: step_ms,
    socketTimeout: step_ms,
    dnsTimeout: step_ms,
    disableFileAccess: true,
    disableUrlAccess: true
  })
  try {
    await transport.sendMail({
      from: { name: `Observer ${message.node}`, address: server.from ?? to[0] ?? "" },
      to: [...to],
      subject: renderTitle(message),
      text: renderText(message, text_max),
      headers: { "auto-submitted": "auto-generated" }
    })
  } finally {
    transport.close()
  }
}

/** E-mail, through any SMTP server; a server that does not offer TLS gets no mail unless that is asked for. */
export const email: ChannelKind = {
  name: "email",
  open: ({ alertEmail: to, alertSmtp }) => {
    if (alertSmtp === undefined || to === undefined) return undefined
    const server = Result.getOrUndefined(readSmtpServer(Redacted.value(alertSmtp)))
    if (server === undefined) return undefined
    const secrets = [Redacted.value(alertSmtp), ...(server.password === undefined ? [] : [server.password])]
    const failed = (error: MailError) => {
      const words = error.message ?? String(error)
      const hint = certificateWords.test(words) ? "; ca=file after the ? of OBSERVER_ALERT_SMTP trusts one more" : ""
      return new DeliveryFailed({
        channel: "email",
        reason: without(secrets, `${words.replace(/\s+/g, " ").slice(0, 300)}${hint}`),
        isRetryable: !isFinal(error)
      })
    }
    return {
      name: "email",
      send: (message) =>
        Effect.tryPromise({
          try: () => mail(server, to, message),
          catch: (cause) => failed(typeof cause === "object" && cause !== null ? cause : { message: String(cause) })
        }).pipe(
          Effect.timeoutOrElse({
            duration: delivery_timeout,
            orElse: () => Effect.fail(failed({ message: "no answer in 30 s" }))
          })
        )
    }
  },
  secrets: ({ alertSmtp }) => {
    if (alertSmtp === undefined) return []
    const server = Result.getOrUndefined(readSmtpServer(Redacted.value(alertSmtp)))
    return [alertSmtp, ...(server?.password === undefined ? [] : [Redacted.make(server.password)])]
  }
}
