import { Redacted } from "effect"

/** Secrets known at once; tokens come and go, and the oldest is forgotten for a new one. */
const secrets_max = 512
/** Shorter ones are words that stand in texts for other reasons. */
const length_min = 6
/** The path of an address may be its secret, as with webhooks; short ones are names. */
const path_length_min = 24

export const hidden = "<redacted>"

const decoded = (text: string): ReadonlyArray<string> => {
  try {
    return [text, decodeURIComponent(text)]
  } catch {
    return [text]
  }
}

/** What of an address is secret by itself: the password in it, and a long path. */
const partsOf = (text: string): ReadonlyArray<string> => {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return []
  const { password, pathname, search } = new URL(text)
  const path = `${pathname}${search}`
  return [...decoded(password), ...(path.length >= path_length_min ? decoded(path) : [])]
}

const special = /[^0-9A-Za-z]/

const escaped = (character: string): string => (special.test(character) ? `\\${character}` : character)

/** A character that quoting changes, in each way: behind backslashes of JSON, JSON in JSON and those who write `\/`, or percent-encoded, once or twice. */
const quoted = (character: string): string => {
  const encoded = [...Buffer.from(character)].map((byte) => byte.toString(16).padStart(2, "0"))
  const hex = encoded.map(
    (pair) => `%(?:25)?${pair.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)}`
  )
  const literal = character.length === 1 && character < "\x80" ? escaped(character) : character
  return `(?:\\\\|%(?:25)?5[cC]){0,15}(?:${[literal, hex.join(""), ...(character === " " ? ["\\+"] : [])].join("|")})`
}

const patternOf = (text: string): string =>
  [...text].map((character) => (special.test(character) ? quoted(character) : character)).join("")

const textsOf = (secret: Redacted.Redacted): ReadonlyArray<string> =>
  [Redacted.value(secret)].flatMap((text) => [text, ...partsOf(text)]).filter((text) => text.length >= length_min)

const anyOf = (texts: Iterable<string>): RegExp | undefined => {
  const longestFirst = [...new Set(texts)].sort((a, b) => b.length - a.length)
  return longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(patternOf).join("|"), "g")
}

/** By their text, the oldest first. */
const known = new Map<string, ReadonlyArray<string>>()
let pattern: RegExp | undefined

/**
 * Lets a secret of this process be taken out of every text that leaves it. `Redacted` values print as such by themselves;
 * this is for the libraries and servers that quote an address, a header or a body in words of their own.
 */
export const keepSecret = (secret: Redacted.Redacted): void => {
  const text = Redacted.value(secret)
  if (known.has(text)) return
  known.set(text, textsOf(secret))
  const [oldest] = known.keys()
  if (known.size > secrets_max && oldest !== undefined) known.delete(oldest)
  pattern = anyOf([...known.values()].flat())
}

/** A text without the secrets this process knows. */
export const withoutSecrets = (text: string): string => (pattern === undefined ? text : text.replace(pattern, hidden))
