import { Result } from "effect"
import { Unzip, UnzipInflate, unzipSync } from "fflate"

/** The largest of the captured files has 742,152 bytes; more than this is no list of a market. */
export const unzipped_bytes_max = 16 * 1_048_576

/** Inflated one piece after another, each to a few megabytes at most, so that a bomb is seen before it has gone off. */
const piece_bytes = 4_096

/** The names and true sizes that the zip's own list gives; throws when the list, which stands at the end, is not there. */
const catalogue = (zip: Uint8Array) => {
  const members: Array<{ readonly name: string; readonly originalSize: number }> = []
  unzipSync(zip, { filter: (member) => (members.push(member), false) })
  return members
}

const inflate = (zip: Uint8Array, name: string, length: number): Uint8Array | undefined => {
  const out = new Uint8Array(length)
  const done = { bytes: 0 }
  const reader = new Unzip((member) => {
    if (member.name !== name) return
    member.ondata = (error, data) => {
      if (error !== null) throw error
      if (done.bytes + data.length <= length) out.set(data, done.bytes)
      done.bytes += data.length
    }
    member.start()
  })
  reader.register(UnzipInflate)
  for (let from = 0; from < zip.length && done.bytes <= length; from += piece_bytes) {
    reader.push(zip.subarray(from, from + piece_bytes), from + piece_bytes >= zip.length)
  }
  return done.bytes === length ? out : undefined
}

/** The bytes of one member of a zip; fails in words. No more is inflated than the zip says there is, and 16 MB at most. */
export const unzipped = (zip: Uint8Array, name: string): Result.Result<Uint8Array, string> => {
  try {
    const members = catalogue(zip)
    const member = members.find((each) => each.name === name)
    if (member === undefined) {
      const names = members.slice(0, 3).map((each) => JSON.stringify(each.name.slice(0, 40)))
      return Result.fail(`it does not hold ${name} but ${names.join(", ") || "nothing"}`)
    }
    if (member.originalSize > unzipped_bytes_max) {
      return Result.fail(`it would unpack to ${member.originalSize} bytes, more than ${unzipped_bytes_max}`)
    }
    const bytes = inflate(zip, name, member.originalSize)
    return bytes === undefined ? Result.fail("it does not unpack to the size that it gives") : Result.succeed(bytes)
  } catch {
    return Result.fail("it is not a whole zip")
  }
}

const two = (value: number) => String(value).padStart(2, "0")

/** The day on which the first member of a zip was made, `YYYYMMDD`, on the clock of whoever made it. */
export const zipDate = (zip: Uint8Array): string | undefined => {
  if (zip.length < 30) return undefined
  const date = new DataView(zip.buffer, zip.byteOffset, zip.byteLength).getUint16(12, true)
  const month = (date >> 5) & 15
  const day = date & 31
  return month === 0 || day === 0 ? undefined : `${1980 + (date >> 9)}${two(month)}${two(day)}`
}
