import { Context, Effect } from "effect"
import { Disk, type DiskError } from "./Disk.ts"
import { contentOfMember, headerBytes, type MemberSize, sizeOfMember } from "./GzipMember.ts"
import { inflateForeign } from "./gzipFile/inflateForeign.ts"
import { JournalReadError } from "./JournalError.ts"

/** Where a member begins, in the file and in the file's content. */
interface Place {
  readonly at: number
  readonly content: number
}

const start: Place = { at: 0, content: 0 }
const placesKept = 32

/** Where the newest reads ended, a place a file, so that who reads on does not step over every member again. */
export class MemberPlaces extends Context.Reference<Map<string, Place>>("observer/journal/MemberPlaces", {
  defaultValue: () => new Map()
}) {}

const remember = (places: Map<string, Place>, path: string, place: Place) => {
  places.delete(path)
  places.set(path, place)
  const oldest = places.size > placesKept ? places.keys().next().value : undefined
  if (oldest !== undefined) places.delete(oldest)
}

/** The newest place of a file, if it is not behind what is wanted and a member still begins there. */
const placeBefore = Effect.fnUntraced(function* (path: string, content: number) {
  const place = (yield* MemberPlaces).get(path)
  if (place === undefined || place.content > content) return start
  const header = yield* (yield* Disk).readAt(path, place.at, headerBytes)
  return header.length === 0 || sizeOfMember(header) !== undefined ? place : start
})

const readMember = Effect.fnUntraced(function* (path: string, at: number, size: MemberSize) {
  const member = yield* (yield* Disk).readAt(path, at, size.bytes)
  return yield* Effect.tryPromise({
    try: () => contentOfMember(member, size),
    catch: (cause) => {
      const detail = cause instanceof Error ? cause.message : String(cause)
      return new JournalReadError({ file: path, detail: `the compressed block at byte ${at} is damaged: ${detail}` })
    }
  })
})

/**
 * The content of a compressed file from an offset of the content on: at least `length` bytes, to the end of a member;
 * fewer at the end of the file. Members before the offset are stepped over by their headers. A file that another program
 * has compressed is inflated from its beginning.
 */
export const readGzip = Effect.fnUntraced(function* (
  path: string,
  from: number,
  length: number
): Effect.fn.Return<Buffer, DiskError | JournalReadError, Disk> {
  const disk = yield* Disk
  const places = yield* MemberPlaces
  let place = yield* placeBefore(path, from)
  const parts: Array<Buffer> = []
  let end = from
  while (end - from < length) {
    const header = yield* disk.readAt(path, place.at, headerBytes)
    if (header.length === 0) break
    const size = sizeOfMember(header)
    if (size === undefined) {
      parts.push(yield* inflateForeign(path, place.at, end - place.content, length - (end - from)))
      return Buffer.concat(parts)
    }
    const next = { at: place.at + size.bytes, content: place.content + size.contentBytes }
    if (next.content > end) {
      parts.push((yield* readMember(path, place.at, size)).subarray(end - place.content))
      end = next.content
    }
    place = next
  }
  remember(places, path, place)
  return Buffer.concat(parts)
})

/** Bytes of a compressed file's content by its headers; of a foreign file, what its last four bytes say. */
export const gzipContentBytes = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  let place = start
  while (true) {
    const header = yield* disk.readAt(path, place.at, headerBytes)
    const size = sizeOfMember(header)
    if (size !== undefined) {
      place = { at: place.at + size.bytes, content: place.content + size.contentBytes }
      continue
    }
    if (header.length === 0) return place.content
    const bytes = (yield* disk.size(path)) ?? 0
    const last = Buffer.from(yield* disk.readAt(path, Math.max(0, bytes - 4), 4))
    return place.content + (last.length === 4 ? last.readUInt32LE(0) : 0)
  }
})
