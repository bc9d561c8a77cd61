import { Context, Effect, Layer } from "effect"
import { readFile } from "node:fs/promises"
import { ExchangeFailed } from "./ExchangeFailed.ts"
import type { HttpCall } from "./HttpDoor.ts"
import { Market } from "./Market.ts"
import { boardBytes, boardFiles, indexBytes, indexFile } from "./masterFiles/files.ts"
import { zipped } from "./masterFiles/zipped.ts"
import { jsonReply, type Reply } from "./Reply.ts"

const prefix = "/common/master/"
const suffix = ".zip"

const indicesUrl = new URL("../../data/indices.csv", import.meta.url)
const indices = Effect.tryPromise({
  try: () => readFile(indicesUrl, "utf8"),
  catch: (cause) => new ExchangeFailed({ detail: "cannot read data/indices.csv, which ships with the program", cause })
}).pipe(
  Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die("reading data/indices.csv took 10 s") })
)

const names = [...Object.keys(boardFiles), indexFile].map((name) => name + suffix)
const notFound = jsonReply({ error: "no such master file", hint: `there are: ${names.join(", ")}` }, {}, 404)
const notAllowed = jsonReply({ error: "a master file can only be read" }, { allow: "GET, HEAD" }, 405)

/**
 * The broker's master files, which it keeps on a host of their own: no credentials, no limit. Made when first asked for
 * on a market day, from the base prices and flags that the market then has.
 */
export class MasterFiles extends Context.Service<
  MasterFiles,
  {
    /** Answers every path under `MasterFiles.prefix`. */
    answer(call: HttpCall): Reply
  }
>()("observer/simulator/MasterFiles") {
  static readonly prefix = prefix

  static readonly layer = Layer.effect(
    MasterFiles,
    Effect.gen(function* () {
      const { view: market } = yield* Market
      const indexNames = indexBytes(yield* indices)
      const made = new Map<string, { readonly date: string; readonly zip: Uint8Array }>()

      const bytesOf = (name: string): Uint8Array | undefined => {
        if (name === indexFile) return indexNames
        const file = boardFiles[name]
        return file === undefined ? undefined : boardBytes(market, file)
      }

      const zipOf = (name: string): Uint8Array | undefined => {
        const date = market.date()
        const before = made.get(name)
        if (before !== undefined && before.date === date) return before.zip
        const bytes = bytesOf(name)
        if (bytes === undefined) return undefined
        const zip = zipped(name, bytes, date)
        made.set(name, { date, zip })
        return zip
      }

      return MasterFiles.of({
        answer: ({ method, url }) => {
          if (method !== "GET" && method !== "HEAD") return notAllowed
          const asked = url.pathname.slice(prefix.length)
          const zip = asked.endsWith(suffix) ? zipOf(asked.slice(0, -suffix.length)) : undefined
          return zip === undefined
            ? notFound
            : { status: 200, headers: { "content-type": "application/zip" }, body: zip }
        }
      })
    })
  )
}
