import { Effect } from "effect"
import { createHash } from "node:crypto"

/** What a segment's bytes say of themselves. */
export interface SegmentScan {
  readonly lines: number
  /** Bytes up to the end of the last whole line; everything behind it is torn. */
  readonly goodBytes: number
  readonly sha256: string
  readonly firstReceivedAt: string | undefined
  readonly lastReceivedAt: string | undefined
}

const newline = 0x0a
const closingBrace = 0x7d

/** Not decoded: a line that stands in the record counts, whatever else may be wrong with it. */
const receivedAt = (line: Uint8Array | undefined): string | undefined =>
  line && /"receivedAt":"([^"]+)"/.exec(Buffer.from(line).toString("utf8"))?.[1]

/**
 * Reads a segment from its beginning, through a reader that gives the bytes at an offset and nothing at the end, and stops at the first line that is not the one its place calls for: half a line
 * of a killed process, or the zeros a power cut leaves. Lines are recognised by
 * their `seq` and not parsed, so that a full segment is scanned at the speed of its hash.
 */
export const scanSegment = Effect.fnUntraced(function* <E, R>(
  read: (at: number) => Effect.Effect<Uint8Array, E, R>,
  firstSeq: number
) {
  const hash = createHash("sha256")
  let rest: Uint8Array = new Uint8Array(0)
  let lines = 0
  let goodBytes = 0
  let firstLine: Uint8Array | undefined
  let lastLine: Uint8Array | undefined
  let at = 0
  scan: while (true) {
    const bytes = yield* read(at)
    if (bytes.length === 0) break
    at += bytes.length
    const buffer = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes])
    let start = 0
    for (let end = buffer.indexOf(newline); end !== -1; end = buffer.indexOf(newline, start)) {
      const line = buffer.subarray(start, end)
      const expected = `{"v":1,"seq":${firstSeq + lines},`
      const whole = line.at(-1) === closingBrace && line.subarray(0, expected.length).equals(Buffer.from(expected))
      if (!whole || line.includes(0)) break scan
      hash.update(buffer.subarray(start, end + 1))
      goodBytes += end + 1 - start
      lines += 1
      firstLine ??= Buffer.from(line)
      lastLine = line
      start = end + 1
    }
    lastLine = lastLine && Buffer.from(lastLine)
    rest = buffer.subarray(start)
  }
  return {
    lines,
    goodBytes,
    sha256: hash.digest("hex"),
    firstReceivedAt: receivedAt(firstLine),
    lastReceivedAt: receivedAt(lastLine)
  } satisfies SegmentScan
})
