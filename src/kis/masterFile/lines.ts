import { Result } from "effect"
import type { Layout } from "./layouts.ts"

const lineFeed = 0x0a
const carriageReturn = 0x0d

/**
 * The lines of a file, each of exactly the layout's width; fails in words at the first that is not. Cut by bytes: the
 * second byte of a Korean letter in cp949 is never a line feed.
 */
export const fixedLines = (bytes: Uint8Array, { width }: Layout): Result.Result<ReadonlyArray<Uint8Array>, string> => {
  const lines: Array<Uint8Array> = []
  for (let from = 0; from < bytes.length;) {
    const feed = bytes.indexOf(lineFeed, from)
    const next = feed < 0 ? bytes.length : feed + 1
    const end = feed < 0 ? bytes.length : feed
    const line = bytes.subarray(from, end > from && bytes[end - 1] === carriageReturn ? end - 1 : end)
    if (line.length !== width) {
      return Result.fail(`line ${lines.length + 1} has ${line.length} bytes instead of ${width}`)
    }
    lines.push(line)
    from = next
  }
  return Result.succeed(lines)
}
