import { Effect, Redacted, Schema } from "effect"
import { createHash } from "node:crypto"
import { mkdir, open, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import type { KisAccount } from "./Account.ts"

/** What one key remembers across restarts. The attempt is written before the broker is asked, so that a crash loop cannot ask twice. */
const Remembered = Schema.Struct({
  /** UTC milliseconds of the last time a token was asked for, answered or not. */
  attemptedAtMs: Schema.Finite,
  token: Schema.optionalKey(Schema.String),
  expiresAtMs: Schema.optionalKey(Schema.Finite)
})

export interface TokenMemory {
  readonly attemptedAtMs: number
  readonly token?: Redacted.Redacted
  readonly expiresAtMs?: number
}

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Remembered))

/**
 * The file of one key in one place: a token of the mock is worthless on the live host, so both are in the name, the key
 * only as a hash.
 */
const fileOf = (stateDir: string, { appKey, endpoints }: KisAccount): string => {
  const hash = createHash("sha256")
    .update(`${endpoints.place}\n${Redacted.value(appKey)}`)
    .digest("hex")
    .slice(0, 16)
  return join(stateDir, `token-${endpoints.place.replace(/[^0-9A-Za-z.-]/g, "_")}-${hash}.json`)
}

/** What is remembered of a key; `undefined` when nothing is, or the file is not readable as what it should be. */
export const recall = (stateDir: string, account: KisAccount): Effect.Effect<TokenMemory | undefined> =>
  Effect.tryPromise(() => readFile(fileOf(stateDir, account), "utf8")).pipe(
    Effect.flatMap(decode),
    Effect.map(({ attemptedAtMs, expiresAtMs, token }): TokenMemory => ({
      attemptedAtMs,
      ...(token === undefined ? {} : { token: Redacted.make(token) }),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs })
    })),
    Effect.orElseSucceed(() => undefined)
  )

/** Writes the file whole and only then puts it in place, readable by its owner alone. A failure is logged, not fatal: the token works without. */
export const remember = Effect.fnUntraced(
  function* (stateDir: string, account: KisAccount, memory: TokenMemory) {
    const file = fileOf(stateDir, account)
    const text = JSON.stringify({
      attemptedAtMs: memory.attemptedAtMs,
      token: memory.token && Redacted.value(memory.token),
      expiresAtMs: memory.expiresAtMs
    })
    yield* Effect.tryPromise(async () => {
      await mkdir(stateDir, { recursive: true })
      const handle = await open(`${file}.new`, "w", 0o600)
      try {
        await handle.writeFile(text)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(`${file}.new`, file)
    })
  },
  Effect.catch((error) =>
    Effect.logWarning("the token could not be cached; a restart will ask for another", { reason: String(error.cause) })
  )
)
