import { Data, Redacted, Result } from "effect"
import { createDecipheriv } from "node:crypto"
import { decodeRecords, type EncryptedFrame, type RecordsFrame } from "./Frame.ts"

/** The pair by which the records of a subscription are encrypted; it comes with the broker's acceptance (kis/websocket.md §3). */
export interface FrameCipher {
  /** 32 characters. */
  readonly key: Redacted.Redacted
  /** 16 characters. */
  readonly iv: Redacted.Redacted
}

/** An encrypted frame that cannot be read; `detail` says why, and nothing of the key or of what was in the frame. */
export class FrameNotOpened extends Data.TaggedError("FrameNotOpened")<{
  readonly trId: string
  readonly detail: string
}> {
  override get message() {
    return `an encrypted frame of ${this.trId} cannot be opened (${this.detail})`
  }
}

/** AES-256 and its block, in bytes. */
const key_bytes = 32
const iv_bytes = 16
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

interface Opened {
  readonly plain: string
  readonly records: RecordsFrame
}

/**
 * Opens an encrypted frame: base64, then AES-256-CBC with the subscription's key and iv, whose characters are taken as they are,
 * then PKCS#7 (kis/websocket.md §5). What comes out is split as a plain frame is. Fails with `FrameNotOpened` whatever is
 * wrong, the pair or the frame; never throws. A wrong key is seen by the padding, and where that fits by chance by the shape
 * of the records.
 */
export const decrypt = (frame: EncryptedFrame, cipher: FrameCipher): Result.Result<RecordsFrame, FrameNotOpened> =>
  Result.map(unseal(frame, cipher), ({ records }) => records)

/** The frame as it would have come without encryption. Fails as `decrypt` does. */
export const open = (frame: EncryptedFrame, cipher: FrameCipher): Result.Result<string, FrameNotOpened> =>
  Result.map(unseal(frame, cipher), ({ plain }) => `0|${frame.trId}|${String(frame.count).padStart(3, "0")}|${plain}`)

const unseal = (
  { body, count, trId }: EncryptedFrame,
  { iv, key }: FrameCipher
): Result.Result<Opened, FrameNotOpened> => {
  const failed = (detail: string) => Result.fail(new FrameNotOpened({ trId, detail }))
  const keyBytes = Buffer.from(Redacted.value(key), "utf8")
  const ivBytes = Buffer.from(Redacted.value(iv), "utf8")
  if (keyBytes.length !== key_bytes) return failed(`its key has ${keyBytes.length} bytes, not ${key_bytes}`)
  if (ivBytes.length !== iv_bytes) return failed(`its iv has ${ivBytes.length} bytes, not ${iv_bytes}`)
  // Node reads base64 leniently, and would make something of anything.
  if (!base64.test(body)) return failed("its body is not base64")
  const sealed = Buffer.from(body, "base64")
  if (sealed.length === 0 || sealed.length % iv_bytes !== 0)
    return failed(`its ${sealed.length} bytes are not whole blocks of ${iv_bytes}`)
  const plain = opened(sealed, keyBytes, ivBytes)
  if (plain === undefined) return failed("the key does not fit")
  const records = decodeRecords(trId, count, plain, 0)
  return records._tag === "Records" ? Result.succeed({ plain, records }) : failed(records.detail)
}

/** The plain text; `undefined` when the padding at its end is none, as with a wrong key. */
const opened = (sealed: Buffer, key: Buffer, iv: Buffer): string | undefined => {
  try {
    const decipher = createDecipheriv("aes-256-cbc", key, iv)
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString("utf8")
  } catch {
    return undefined
  }
}
