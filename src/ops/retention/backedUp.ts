import { Effect, Result, Schema } from "effect"
import { createReadStream } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { systemCode } from "../../domain/systemCode.ts"

/** A file that was found whole at a target of the backup; `file` is relative to the data folder. */
const Receipt = Schema.Struct({
  at: Schema.String,
  target: Schema.String,
  file: Schema.String,
  bytes: Schema.Int,
  sha256: Schema.String
})
export type Receipt = typeof Receipt.Type

/** Receipts by file: of each target the newest. */
export type Receipts = ReadonlyMap<string, ReadonlyArray<Receipt>>

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Receipt))

const read = async (stateDir: string, isAsked: (file: string) => boolean): Promise<Receipts> => {
  const newest = new Map<string, Map<string, Receipt>>()
  const input = createReadStream(join(stateDir, "backup", "receipts.jsonl"))
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const receipt = Result.getOrUndefined(decode(line))
    if (receipt === undefined || !isAsked(receipt.file)) continue
    const targets = newest.get(receipt.file) ?? new Map<string, Receipt>()
    newest.set(receipt.file, targets.set(receipt.target, receipt))
  }
  return new Map([...newest].map(([file, targets]) => [file, [...targets.values()]]))
}

const none: Receipts = new Map()

/** The receipts of the backup, of the files that are asked for. None where there are none, or they cannot be read: nothing is then known to be kept. */
export const loadReceipts = (stateDir: string, isAsked: (file: string) => boolean): Effect.Effect<Receipts> =>
  Effect.tryPromise({ try: () => read(stateDir, isAsked), catch: systemCode }).pipe(
    Effect.catch((code) => {
      const told = Effect.logWarning("the receipts of the backup cannot be read; no day is deleted", { reason: code })
      return Effect.as(code === "ENOENT" ? Effect.void : told, none)
    })
  )

/** Whether a file of such a length, and where it is known of such a hash, is at some target. */
export const isBackedUp = (
  receipts: Receipts,
  file: string,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256?: string }
): boolean =>
  (receipts.get(file) ?? []).some(
    (receipt) => receipt.bytes === bytes && (sha256 === undefined || receipt.sha256 === sha256)
  )
