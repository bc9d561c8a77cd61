import { Effect } from "effect"
import { createServer, type Socket } from "node:net"
import type { AddressInfo } from "node:net"
import { json, type KisServer, type ScriptedAnswer, type SeenRequest } from "../support/kisServer.ts"
import { planted } from "./planted.ts"

/** All that a request says of its sender, in the ways in which gateways quote it. */
const quoted = ({ body, headers }: SeenRequest): string => {
  const { appkey, appsecret, authorization } = headers
  const all = [String(appkey), String(appsecret), String(authorization), body].join(" ")
  return `refused: ${all} ${encodeURIComponent(all)} ${JSON.stringify(all).replaceAll("/", "\\/")}`
}

/** Bodies that quote the request, from an error of the broker's to a page of some proxy. */
const refusals: ReadonlyArray<(words: string) => ScriptedAnswer> = [
  (words) => json({ rt_cd: "1", msg_cd: "EGW09999", msg1: words }, 500),
  (words) => json({ error_code: "EGW09998", error_description: words }, 403),
  (words) => json({ rt_cd: "1", msg_cd: words, msg1: words }, 400),
  (words) => ({ status: 200, text: `<html>${words}</html>` }),
  (words) => ({ status: 200, text: `{"rt_cd":"0","output":[{"inter_shrn_iscd":"${words}` }),
  (words) => json({ rt_cd: "0", msg_cd: "MCA00000", msg1: words, output: words }),
  (words) => json({ rt_cd: "0", msg_cd: "MCA00000", msg1: words, output: [words] }),
  (words) => json({ rt_cd: "0", msg_cd: "MCA00000", output: [{ inter_shrn_iscd: "005930", inter2_prpr: words }] }),
  (words) => json([words]),
  (words) => ({ status: 429, text: words }),
  (words) => ({ status: 503, text: words })
]

/** Has a broker issue the planted token and approval key, and quote whatever it is told ever after. */
export const echoing = (server: KisServer): void => {
  let answers = 0
  server.answer((request) => {
    if (request.path === "/oauth2/tokenP" && request.body.includes(planted.refusedKey)) {
      return json({ error_code: "EGW00103", error_description: quoted(request) }, 403)
    }
    if (request.path === "/oauth2/tokenP") return json({ access_token: planted.token, expires_in: 86_400 })
    if (request.path === "/oauth2/Approval") return json({ approval_key: planted.approvalKey })
    const refusal = refusals[answers++ % refusals.length]
    const answer = refusal?.(quoted(request)) ?? "cut"
    const echoed = { "x-echo": encodeURIComponent(quoted(request)), tr_cont: encodeURIComponent(quoted(request)) }
    return answer === "cut" ? answer : { ...answer, headers: echoed }
  })
  server.onText((text, { socket }) => {
    const words = `${planted.approvalKey} ${text}`
    const answer = { header: { tr_id: words, tr_key: words }, body: { rt_cd: "9", msg_cd: "OPSP9999", msg1: words } }
    socket.send(JSON.stringify(answer))
    socket.send(JSON.stringify({ ...answer, body: { rt_cd: "9", msg_cd: words, msg1: words } }))
    socket.send(`approval key ${words}`)
    socket.send(`0|H0STCNT0|001|${words}`)
    socket.send(`0|${words}|001|${words}`)
    socket.send(`[${JSON.stringify(words)}]`)
  })
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const message = (type: string, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(type), word(content.length + 4), content])

const error = (text: string): Buffer => message("E", Buffer.from(`SFATAL\0C28P01\0M${text}\0DDetail: ${text}\0\0`))

const serve = (socket: Socket, asked: Array<string>): void => {
  let isStarted = false
  socket.on("error", () => undefined)
  socket.on("data", (bytes: Buffer) => {
    // An offer of TLS is refused, the first real message asked for the password, which is then quoted.
    if (!isStarted && bytes.length === 8) return void socket.write("N")
    if (!isStarted) {
      isStarted = true
      return void socket.write(message("R", word(3)))
    }
    const password = bytes.subarray(5).toString().replaceAll("\0", "")
    asked.push(password)
    socket.end(error(`password "${password}" of postgres://observer:${encodeURIComponent(password)}@here is wrong`))
  })
}

/** A PostgreSQL server that wants the password in clear text, and quotes it when it refuses it. */
export const makeQuotingDatabase = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly asked: ReadonlyArray<string>; readonly close: () => void }>(
    (resume) => {
      const asked: Array<string> = []
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        serve(socket, asked)
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.close()
          for (const socket of sockets) socket.destroy()
        }
        resume(Effect.succeed({ port, asked, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)
