import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"

const folders = (error: { readonly message: string }) => Effect.fail(endWith(exitCode.folders)(error))

/** How a program ends that reads the journal and asks the database; `advice` is what to do where that cannot be used. */
export const archiveEnds = (advice = "") => ({
  JournalReadError: folders,
  FolderUnwritable: folders,
  EmbeddedDatabaseError: folders,
  SqlError: ({ reason: { cause } }: SqlError) => {
    const lines = [`the database cannot be used: ${String(cause)}${advice}`]
    return Effect.fail(new ProgramEnd({ code: exitCode.credentials, lines }))
  }
})
