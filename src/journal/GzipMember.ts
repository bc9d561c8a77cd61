import { promisify } from "node:util"
import { crc32, deflateRaw, inflateRaw } from "node:zlib"

/**
 * One member of a compressed journal file: a gzip file of its own (RFC 1952) that holds whole lines. An EXTRA subfield
 * `OB` in its header says how long the member and its content are, so that a reader steps over members it does not
 * need; every other reader of gzip passes the subfield over and joins the members.
 */
export interface MemberSize {
  /** Of the member, header and trailer included. */
  readonly bytes: number
  readonly contentBytes: number
}

const subfield = Buffer.from("OB")
/** The fixed header, the length of EXTRA, and the subfield: two letters, its length, two numbers of four bytes. */
export const headerBytes = 10 + 2 + 4 + 8
const trailerBytes = 8
/** Far beyond any member of ours: a number that a flipped bit has made is not believed. */
const bytes_max = 1 << 26
const deflated = promisify(deflateRaw)
const inflated = promisify<Uint8Array, object, Buffer>(inflateRaw)

/** Deflate in a thread beside the event loop. */
export const makeMember = async (content: Uint8Array): Promise<Buffer> => {
  const body = await deflated(content)
  const member = Buffer.alloc(headerBytes + body.length + trailerBytes)
  // Magic, deflate, a header with EXTRA, no time, no hint of the level, an unknown system: the same content always
  // has the same bytes.
  member.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255])
  member.writeUInt16LE(subfield.length + 2 + 8, 10)
  member.set(subfield, 12)
  member.writeUInt16LE(8, 14)
  member.writeUInt32LE(member.length, 16)
  member.writeUInt32LE(content.length, 20)
  member.set(body, headerBytes)
  member.writeUInt32LE(crc32(content), member.length - 8)
  member.writeUInt32LE(content.length, member.length - 4)
  return member
}

/** What a header says; `undefined` for one that is not ours: another program has compressed the file. */
export const sizeOfMember = (header: Uint8Array): MemberSize | undefined => {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength)
  if (bytes.length < headerBytes || bytes.readUInt32BE(0) !== 0x1f8b0804) return undefined
  if (bytes.readUInt16LE(10) !== 12 || !bytes.subarray(12, 14).equals(subfield)) return undefined
  const size = { bytes: bytes.readUInt32LE(16), contentBytes: bytes.readUInt32LE(20) }
  const isPlausible = size.bytes > headerBytes + trailerBytes && Math.max(size.bytes, size.contentBytes) <= bytes_max
  return bytes.readUInt16LE(14) === 8 && isPlausible ? size : undefined
}

/** The content of a whole member; rejects when it is not what its header and trailer say. */
export const contentOfMember = async (member: Uint8Array, { bytes, contentBytes }: MemberSize): Promise<Buffer> => {
  if (member.length < bytes) throw new Error("the file ends within it")
  const content = await inflated(member.subarray(headerBytes, bytes - trailerBytes), { maxOutputLength: contentBytes })
  const trailer = Buffer.from(member.buffer, member.byteOffset + bytes - trailerBytes, trailerBytes)
  if (content.length !== contentBytes || trailer.readUInt32LE(4) !== contentBytes)
    throw new Error("its length is wrong")
  if (trailer.readUInt32LE(0) !== crc32(content)) throw new Error("its checksum is wrong")
  return content
}
