import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"
import { zipSync } from "fflate"
import { type MasterName, masterNames } from "../../src/kis/MasterFile.ts"

/** What the server says to one path; `silent` never answers, `dripping` sends a head and then nothing more. */
export type MasterAnswer = { readonly status?: number; readonly bytes: Uint8Array } | "cut" | "silent" | "dripping"

export interface MasterServer {
  readonly url: string
  /** Paths asked for, in order. */
  readonly asked: ReadonlyArray<string>
  /** How one file is answered from now on. */
  answer(name: MasterName, answer: MasterAnswer): void
}

const fixture = (name: string) => readFileSync(new URL(`../fixtures/kis/master/${name}`, import.meta.url))

/** The captured zips; what was captured without its zip is put into one anew. */
export const capturedZip = (name: MasterName): Uint8Array => {
  const stem = name.slice(0, -".mst".length)
  switch (name) {
    case "kospi_code.mst":
    case "kosdaq_code.mst":
      return fixture(`${stem}_20260722.mst.zip`)
    default:
      return zipSync({
        [name]: gunzipSync(fixture(`${stem}_${name === "idxcode.mst" ? "20260722" : "202604"}.mst.gz`))
      })
  }
}

export const notFound: MasterAnswer = { status: 404, bytes: Buffer.from("<html>not found</html>") }

/** A host of master files on a loopback port, with the captured ones until told otherwise. */
export const makeMasterServer = Effect.acquireRelease(
  Effect.callback<{ readonly server: MasterServer; readonly close: () => void }>((resume) => {
    const asked: Array<string> = []
    const answers = new Map<string, MasterAnswer>(masterNames.map((name) => [name, { bytes: capturedZip(name) }]))
    const http = createServer((incoming, outgoing) => {
      const path = incoming.url ?? ""
      asked.push(path)
      const answer = answers.get(path.replace(/^\/common\/master\//, "").replace(/\.zip$/, "")) ?? notFound
      if (answer === "silent") return
      if (answer === "cut") return void outgoing.socket?.destroy()
      if (answer === "dripping") {
        outgoing.writeHead(200, { "content-length": "1000" }).write("PK")
        return
      }
      outgoing.writeHead(answer.status ?? 200, { "content-type": "application/zip" }).end(answer.bytes)
    })
    http.listen(0, "127.0.0.1", () => {
      const { port } = http.address() as AddressInfo
      const server: MasterServer = {
        url: `http://127.0.0.1:${port}`,
        asked,
        answer: (name, answer) => void answers.set(name, answer)
      }
      resume(Effect.succeed({ server, close: () => (http.close(), http.closeAllConnections()) }))
    })
  }),
  ({ close }) => Effect.sync(close)
).pipe(Effect.map(({ server }) => server))
