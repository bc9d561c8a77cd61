import iconv from "iconv-lite"

/** Text as the broker's files have it; a Korean letter takes two bytes. */
const cp949 = (text: string): Uint8Array => iconv.encode(text, "cp949")

/**
 * Writes a text, left aligned, into a field of so many bytes that is blank so far. What does not fit is cut, never in
 * the middle of a letter.
 */
export const writeField = (bytes: Uint8Array, from: number, width: number, text: string): void => {
  let at = from
  for (const letter of text) {
    const code = letter.charCodeAt(0)
    const encoded = code < 0x80 ? undefined : cp949(letter)
    const length = encoded?.length ?? 1
    if (at + length > from + width) return
    if (encoded === undefined) bytes[at] = code
    else bytes.set(encoded, at)
    at += length
  }
}

/** A number filled up with zeros; the sign takes the first place, as in `-00000703`. */
export const digits = (value: number, width: number): string => {
  const text = String(Math.abs(Math.round(value)))
  const places = value < 0 ? width - 1 : width
  const fitted = text.length > places ? "9".repeat(places) : text.padStart(places, "0")
  return value < 0 ? `-${fitted}` : fitted
}
