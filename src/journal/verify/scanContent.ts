import { Effect } from "effect"
import { createHash } from "node:crypto"
import { createGunzip, type Gunzip } from "node:zlib"
import { Disk } from "../Disk.ts"

/** What the bytes of a file come to. */
export interface Content {
  /** Of the content, unpacked where the file is compressed. */
  readonly bytes: number
  readonly sha256: string
  /** Of the file as it lies on disk. */
  readonly fileBytes: number
  readonly fileSha256: string
  /** Bytes behind the last newline. */
  readonly tornBytes: number
  /** Why the compressed file cannot be unpacked to its end. */
  readonly broken?: string
}

const block_bytes = 1 << 18
/** Unpacked, a block of these is some megabytes. */
const packed_block_bytes = 1 << 16
/** No record is so long; what has no newline for so long is none. */
const line_bytes_max = 1 << 26
const newline = 0x0a

/** Unpacks block by block, and never more than one block ahead. */
const makeUnpacker = (gunzip: Gunzip) => {
  let blocks: Array<Buffer> = []
  let broken: string | undefined
  // A spoilt file may seem to end long before it does.
  let isOver = false
  let over: () => void = () => undefined
  const end = () => {
    isOver = true
    over()
  }
  gunzip.on("data", (block: Buffer) => blocks.push(block))
  gunzip.on("error", (error) => {
    broken ??= error.message
    end()
  })
  gunzip.on("end", end)
  gunzip.on("close", end)
  const taken = () => {
    const out = Buffer.concat(blocks)
    blocks = []
    return out
  }
  /** Does something and waits until it is done, or nothing more will come. */
  const done = (act: (done: () => void) => void) =>
    Effect.callback<Buffer>((resume) => {
      over = () => resume(Effect.sync(taken))
      if (isOver) over()
      else act(over)
    })
  return {
    broken: () => broken,
    unpack: (block: Buffer) => done((next) => gunzip.write(block, next)),
    finish: done(() => gunzip.end())
  }
}

const gunzipped = Effect.acquireRelease(
  Effect.sync(() => createGunzip()),
  (gunzip) => Effect.sync(() => gunzip.destroy())
)

/**
 * Reads a file once, a block at a time: hashes it, unpacks it where it is compressed, and hands on every whole line with
 * its place in the content. What cannot be unpacked ends the content, and is said.
 */
export const scanContent = Effect.fnUntraced(function* (
  path: string,
  options: { readonly isPacked: boolean; readonly onBytes: (bytes: number) => Effect.Effect<void> },
  onLine: (line: Buffer, number: number) => void
) {
  const { isPacked, onBytes } = options
  const disk = yield* Disk
  const unpacker = isPacked ? makeUnpacker(yield* gunzipped) : undefined
  const content = createHash("sha256")
  const file = createHash("sha256")
  let bytes = 0
  let fileBytes = 0
  let lines = 0
  let rest: Buffer = Buffer.alloc(0)

  const take = (block: Buffer) => {
    content.update(block)
    bytes += block.length
    const buffer = rest.length === 0 ? block : Buffer.concat([rest, block])
    let start = 0
    for (let end = buffer.indexOf(newline); end !== -1; end = buffer.indexOf(newline, start)) {
      onLine(buffer.subarray(start, end), (lines += 1))
      start = end + 1
    }
    rest = buffer.subarray(start)
    if (rest.length <= line_bytes_max) return
    onLine(rest.subarray(0, 0), (lines += 1))
    rest = Buffer.alloc(0)
  }

  const length = isPacked ? packed_block_bytes : block_bytes
  while (true) {
    const read = yield* disk.readAt(path, fileBytes, length)
    const block = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    fileBytes += block.length
    if (unpacker === undefined) take(block)
    else {
      file.update(block)
      take(yield* unpacker.unpack(block))
    }
    yield* onBytes(block.length)
    if (block.length < length) break
  }
  if (unpacker !== undefined) take(yield* unpacker.finish)
  const broken = unpacker?.broken()
  const sha256 = content.digest("hex")
  return {
    bytes,
    sha256,
    fileBytes,
    fileSha256: isPacked ? file.digest("hex") : sha256,
    tornBytes: rest.length,
    ...(broken === undefined ? {} : { broken })
  } satisfies Content
}, Effect.scoped)
