const begin_bytes = 1 << 20
/** A buffer that grew beyond this is let go of once it has been used. */
const kept_bytes_max = 1 << 22
/** UTF-8 takes at the most so much for one unit of a text. */
const unit_bytes_max = 3

const space = 0x20
const quote = 0x22
const comma = 0x2c
const bracket = 0x5b
const backslash = 0x5c
const closingBracket = 0x5d
const tilde = 0x7e

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

  /** What was written since the last `clear`; the next one spoils it. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.at)
  }

  /** JSON that is text already. It holds no half of a surrogate pair, for `JSON.stringify` escapes those. */
  json(text: string): void {
    this.reserve(text.length * unit_bytes_max)
    this.at += this.buffer.write(text, this.at, "utf8")
  }

  /** Texts as an array of strings. */
  strings(texts: ReadonlyArray<string>): void {
    this.reserve(2)
    this.buffer[this.at++] = bracket
    for (let index = 0; index < texts.length; index++) {
      if (index > 0) this.buffer[this.at++] = comma
      this.string(texts[index] ?? "")
    }
    this.buffer[this.at++] = closingBracket
  }

  /** Leaves room for one byte behind it. */
  private string(text: string): void {
    this.reserve(text.length + 3)
    const { buffer } = this
    let end = this.at
    buffer[end++] = quote
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code < space || code > tilde || code === quote || code === backslash) return this.escaped(text)
      buffer[end++] = code
    }
    buffer[end++] = quote
    this.at = end
  }

  private escaped(text: string): void {
    this.json(JSON.stringify(text))
    this.reserve(1)
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes))
    this.buffer.copy(larger, 0, 0, this.at)
    this.buffer = larger
  }
}
