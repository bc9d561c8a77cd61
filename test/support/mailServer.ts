import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { SMTPServer, type SMTPServerOptions } from "smtp-server"

export interface Mail {
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly text: string
  readonly isSecure: boolean
  readonly user: string | undefined
}

/** A certificate for 127.0.0.1 that nobody has signed but itself; `undefined` where there is no openssl. */
export const selfSigned = (
  folder: string
): { readonly cert: string; readonly key: string; readonly ca: string } | undefined => {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
  const make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert]
  try {
    execFileSync("openssl", [...make, ...subject], { stdio: "ignore" })
  } catch {
    return undefined
  }
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8"), ca: cert }
}

/** A mail server on loopback that keeps what it is sent. */
export const mailServer = (options: SMTPServerOptions) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly mails: Array<Mail>; readonly server: SMTPServer }>((resume) => {
      const mails: Array<Mail> = []
      const server = new SMTPServer({
        logger: false,
        disableReverseLookup: true,
        onData: (stream, session, done) => {
          let text = ""
          stream.on("data", (bytes: Buffer) => (text += bytes.toString("utf8")))
          stream.on("end", () => {
            const { mailFrom, rcptTo } = session.envelope
            mails.push({
              from: mailFrom === false ? "" : mailFrom.address,
              to: rcptTo.map(({ address }) => address),
              text,
              isSecure: session.secure,
              user: session.user
            })
            done()
          })
        },
        ...options
      })
      // A client that breaks off is what some tests are about.
      server.on("error", () => undefined)
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.server.address() as AddressInfo
        resume(Effect.succeed({ port, mails, server }))
      })
    }),
    ({ server }) => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
  )
