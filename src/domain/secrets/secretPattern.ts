/** A backslash, or one that was percent-encoded, however often. */
const backslash = "(?:\\\\|%(?:25)*5[cC])"

/** A secret in pieces: its runs of backslashes, its runs of what no quoting changes, and each other character. */
const piecesOf = (text: string): ReadonlyArray<string> => text.match(/(?:\\|%(?:25)*5[cC])+|[0-9A-Za-z]+|[^]/gu) ?? []

const isPlain = (piece: string): boolean => /^[0-9A-Za-z]+$/.test(piece)
const isBackslashes = (piece: string): boolean => piece.startsWith("\\") || /^%(?:25)*5[cC]/.test(piece)

/** A character that quoting changes, as it is, or percent-encoded once or twice. */
const quoted = (character: string): string => {
  const encoded = [...Buffer.from(character)].map((byte) => byte.toString(16).padStart(2, "0"))
  const hex = encoded.map(
    (pair) => `%(?:25)?${pair.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)}`
  )
  const literal = character.length === 1 && character < "\x80" ? `\\${character}` : character
  return `(?:${[literal, hex.join(""), ...(character === " " ? ["\\+"] : [])].join("|")})`
}

/** What makes one text of letters with what stands beside it. */
const joined = "[0-9A-Za-z_-]"
/** Letters that end an escape, of JSON, an address or a terminal, are no part of what follows them. */
const escape = "\\\\[bfnrt]|\\\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|\\u001b\\[[0-9;]*m"
const beginsWord = `(?:(?<!${joined})|(?<=${escape}))`
const endsWord = `(?!${joined})`

/**
 * Finds a secret in whichever way it is quoted: behind backslashes of JSON, JSON in JSON and those who write `\/`, or
 * percent-encoded; where it is a word, only where it stands alone. Of what is quoted nothing can be read in two ways: a run of
 * backslashes is one run however many the secret has, so that the time grows with the text alone.
 */
export const secretPattern = (text: string, { isWord }: { readonly isWord: boolean }): RegExp => {
  const pieces = piecesOf(text)
  const body = pieces.map((piece, index) => {
    if (isPlain(piece)) return piece
    // Only where the run begins: else each of a long run's backslashes would be tried as the first.
    if (isBackslashes(piece)) return `${index === 0 ? `(?<!${backslash})` : ""}${backslash}+`
    return (isBackslashes(pieces[index - 1] ?? "") ? "" : `${backslash}{0,15}`) + quoted(piece)
  })
  const begins = isWord && /^[\w-]/.test(text) ? beginsWord : ""
  const ends = isWord && /[\w-]$/.test(text) ? endsWord : ""
  return new RegExp(begins + body.join("") + ends, "g")
}

/** The more there are, the rarer they are in other texts, and the longer is the search for them. */
const run_length_max = 8

/** A piece of a secret that is in every text in which the secret is, cheap to look for; empty where it has none. */
export const plainRunOf = (text: string): string => {
  const [longest = ""] = piecesOf(text)
    .filter(isPlain)
    .toSorted((a, b) => b.length - a.length)
  // Kinds of tokens begin alike.
  return longest.slice(-run_length_max)
}
