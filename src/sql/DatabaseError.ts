import { Data } from "effect"
import type { SqlError } from "effect/sql/SqlError"

/** The database could not do what was asked, for a reason that is not one row's: the same is worth asking again later. */
export class DatabaseError extends Data.TaggedError("DatabaseError")<{
  readonly operation: string
  readonly detail: string
}> {
  override get message() {
    return `the database could not ${this.operation}: ${this.detail}`
  }
}

/** Why the server (or the encoder before it) would not take a row; `code` is the SQLSTATE where there is one. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

/**
 * SQLSTATE classes that speak of the row and not of the server: data exception, integrity constraint, program limit.
 * Every other failure (connection, shutdown, full disk, read-only, missing table, rights) would meet any row, so the
 * batch is kept and tried again.
 */
const rowClasses = ["22", "23", "54"]
const encoderFaults = ["PgTypesCodecError", "PgProtocolEncodeError"]

const textOf = (cause: unknown, key: string): string | undefined => {
  const value: unknown = typeof cause === "object" && cause !== null ? Reflect.get(cause, key) : undefined
  return typeof value === "string" && value !== "" ? value : undefined
}

/** The refusal an error tells of; `undefined` when it is about the connection or the state of the server. */
export const refusalOf = ({ message, reason: { cause } }: SqlError): Refusal | undefined => {
  const words = [textOf(cause, "message") ?? message, textOf(cause, "detail")].filter((text) => text !== undefined)
  const code = textOf(cause, "code")
  if (code !== undefined && rowClasses.includes(code.slice(0, 2))) return { code, message: words.join(": ") }
  return encoderFaults.includes(textOf(cause, "_tag") ?? "")
    ? { code: "encoder", message: words.join(": ") }
    : undefined
}

/** SQLSTATE classes of a server that is short of something, going down or coming up, or read-only for a while. */
const passingClasses = ["08", "25", "40", "53", "57", "58"]

/** Whether the same question may be answered later, without anybody changing settings, rights or tables. */
export const isPassing = (error: SqlError): boolean =>
  error.isRetryable || passingClasses.includes((textOf(error.reason.cause, "code") ?? "").slice(0, 2))

/** Names what was being done, in the server's own words: the message of a `SqlError` alone is generic. */
export const databaseError =
  (operation: string) =>
  ({ message, reason: { cause } }: SqlError): DatabaseError =>
    new DatabaseError({ operation, detail: textOf(cause, "message") ?? textOf(cause, "code") ?? message })
