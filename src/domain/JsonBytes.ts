const begin_bytes = 1 << 20
/** A buffer that grew beyond this is let go of once it has been used. */
const kept_bytes_max = 1 << 22
/** UTF-8 takes at the most so much for one unit of a text. */
const unit_bytes_max = 3

const space = 0x20
const quote = 0x22
const backslash = 0x5c
const tilde = 0x7e
const zero = 0x30

/** The bytes of JSON that is written again and again. */
export const piece = (json: string): Uint8Array => Buffer.from(json)

const hexDigits = piece("0123456789abcdef")
const comma = piece(",")
const colon = piece(":")
const brace = piece("{")
const closingBrace = piece("}")
const bracket = piece("[")
const closingBracket = piece("]")

/**
 * JSON in UTF-8, written piece by piece into one buffer that is used again and again. A record of the stream is some fifty
 * short texts of digits, which stand in JSON as they are: those are copied code by code, at half the cost of making one
 * text of them and encoding that. What has to be escaped is left to `JSON.stringify`.
 */
export class JsonBytes {
  private buffer = Buffer.allocUnsafeSlow(begin_bytes)
  private at = 0

  clear(): void {
    this.at = 0
    if (this.buffer.length > kept_bytes_max) this.buffer = Buffer.allocUnsafeSlow(begin_bytes)
  }

  /** Writes into other memory from now on: what was written may still be read by somebody who cannot be waited for. */
  letGo(): void {
    this.at = 0
    this.buffer = Buffer.allocUnsafeSlow(begin_bytes)
  }

  /** What was written since the last `clear`; the next one spoils it. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.at)
  }

  /** JSON that is text already. It holds no half of a surrogate pair, for `JSON.stringify` escapes those. */
  json(text: string): void {
    this.reserve(text.length * unit_bytes_max)
    this.at += this.buffer.write(text, this.at, "utf8")
  }

  /** A few bytes: a loop is sooner done with them than a call. */
  piece(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    const { buffer } = this
    let end = this.at
    for (let index = 0; index < bytes.length; index++) buffer[end++] = bytes[index] as number
    this.at = end
  }

  /** A finite number. Nearly all are whole and small, and those need no text. */
  number(value: number): void {
    if ((value | 0) !== value || value < 0) return this.json(String(value))
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits += 1
    this.reserve(digits)
    const { buffer } = this
    let rest = value
    for (let place = this.at + digits - 1; place >= this.at; place--) {
      const left = (rest / 10) | 0
      buffer[place] = zero + rest - left * 10
      rest = left
    }
    this.at += digits
  }

  /** A whole number of at most so many hexadecimal digits, with zeros before it. */
  hex(value: number, digits: number): void {
    this.reserve(digits)
    let rest = value
    for (let place = this.at + digits - 1; place >= this.at; place--) {
      const left = Math.floor(rest / 16)
      this.buffer[place] = hexDigits[rest - left * 16] as number
      rest = left
    }
    this.at += digits
  }

  /** Texts as an array of strings. */
  strings(texts: ReadonlyArray<string>): void {
    this.piece(bracket)
    for (let index = 0; index < texts.length; index++) {
      if (index > 0) this.piece(comma)
      this.string(texts[index] as string)
    }
    this.piece(closingBracket)
  }

  /** Texts by their names as an object, in this order. */
  members(names: ReadonlyArray<string>, texts: ReadonlyArray<string>): void {
    this.piece(brace)
    for (let index = 0; index < texts.length; index++) {
      if (index > 0) this.piece(comma)
      this.string(names[index] as string)
      this.piece(colon)
      this.string(texts[index] as string)
    }
    this.piece(closingBrace)
  }

  /** A text as a string. */
  string(text: string): void {
    this.reserve(text.length + 2)
    const { buffer } = this
    let end = this.at
    buffer[end++] = quote
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code < space || code > tilde || code === quote || code === backslash) return this.json(JSON.stringify(text))
      buffer[end++] = code
    }
    buffer[end++] = quote
    this.at = end
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes))
    this.buffer.copy(larger, 0, 0, this.at)
    this.buffer = larger
  }
}
