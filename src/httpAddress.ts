import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Disk } from "./journal/Disk.ts"
import { replaceWhole } from "./journal/wholeFile.ts"
import type { ObserverAddress } from "./ops/RunningObserver.ts"
import type { Settings } from "./Settings.ts"

const file = "http.json"

/** Writes down where the server really listens, for programs of this machine: a port of 0 tells them nothing. */
export const tellAddress = (stateDir: string, url: string): Effect.Effect<void, never, Disk> =>
  replaceWhole(stateDir, file, Buffer.from(`${JSON.stringify({ url, pid: process.pid })}\n`)).pipe(
    Effect.catch(({ message: reason }) =>
      Effect.logWarning("where the server listens could not be written down", { stateDir, url, reason })
    )
  )

const toldAddress = (stateDir: string): Effect.Effect<string | undefined> =>
  Effect.tryPromise(async () => {
    const told: { readonly url?: unknown } = JSON.parse(await readFile(join(stateDir, file), "utf8"))
    return typeof told.url === "string" && URL.canParse(told.url) ? told.url : undefined
  }).pipe(Effect.orElseSucceed(() => undefined))

/** Whoever listens on every address listens on loopback, too. */
const reachable = (host: string): string => (host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host)

/** Where an observer of these settings answers: as they say, or, where any free port was to be taken, as it has written down. */
export const observerAddress = ({
  httpHost,
  httpPort,
  httpToken: token,
  stateDir
}: Pick<Settings, "httpHost" | "httpPort" | "httpToken" | "stateDir">): Effect.Effect<ObserverAddress> => {
  const host = reachable(httpHost)
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${httpPort}`
  if (httpPort !== 0) return Effect.succeed({ url, token })
  return Effect.map(toldAddress(stateDir), (told) => ({ url: told ?? url, token }))
}
