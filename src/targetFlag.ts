import { Redacted, Result } from "effect"
import { Flag } from "effect/cli"
import { keepSecret } from "./domain/Secrets.ts"
import { table } from "./Settings.ts"

/** `--target`: a database in the place of `DATABASE_URL`. The address is never repeated: a password may be in it. */
export const targetFlag = (meaning: string) =>
  Flag.Redacted("target").pipe(
    Flag.withDescription(meaning),
    Flag.mapTryCatch(
      (url) => {
        const { allowed, parse } = table.databaseUrl.value
        keepSecret(url)
        return Redacted.make(Result.getOrThrowWith(parse(Redacted.value(url)), () => new Error(allowed)))
      },
      (error) => (error instanceof Error ? error.message : String(error))
    ),
    Flag.optional
  )
