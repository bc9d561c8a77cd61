import { Redacted } from "effect"
import { plainRunOf, secretPattern } from "./secrets/secretPattern.ts"

/** Shorter ones are words that stand in texts for other reasons. */
const length_min = 6
/** Shorter ones may be part of another word, and are looked for alone. */
const word_length_max = 15
/** The path of an address may be its secret, as with webhooks; short ones are names. */
const path_length_min = 24
/** Of what is issued to one holder: an answer may still quote the one before. */
const issued_max = 2

export const hidden = "<redacted>"

/** One text to be taken out. */
interface Known {
  readonly text: string
  /** It may stand in a text by chance. */
  readonly isWord: boolean
  /** Where this is not, the pattern need not be tried. */
  readonly plainRun: string
  /** Made when it is first needed, which for most is never. */
  pattern: RegExp | undefined
}

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

const knownOf = (text: string): Known => ({
  text,
  isWord: text.length <= word_length_max || /^[A-Za-z_-]+$/.test(text),
  plainRun: plainRunOf(text),
  pattern: undefined
})

const allOf = (secret: string): ReadonlyArray<Known> =>
  [secret, ...partsOf(secret)]
    // What replaces them would have to be replaced again.
    .filter((text) => text.length >= length_min && !hidden.includes(text))
    .map(knownOf)

/** By their text: for as long as the process runs. */
const kept = new Map<string, ReadonlyArray<Known>>()
/** By who holds them, the newest first. */
const issued = new Map<string, ReadonlyArray<readonly [secret: string, known: ReadonlyArray<Known>]>>()
let longestFirst: ReadonlyArray<Known> = []

const arrange = (): void => {
  const all = [...kept.values(), ...[...issued.values()].flatMap((slot) => slot.map(([, known]) => known))].flat()
  longestFirst = [...new Map(all.map((known) => [known.text, known])).values()].sort(
    (a, b) => b.text.length - a.text.length
  )
}

/**
 * Lets a secret of the settings be taken out of every text that leaves this process, to its end. `Redacted` values print as such by themselves;
 * this is for the libraries and servers that quote an address, a header or a body in words of their own.
 */
export const keepSecret = (secret: Redacted.Redacted): void => {
  const text = Redacted.value(secret)
  if (kept.has(text)) return
  kept.set(text, allOf(text))
  arrange()
}

/** Does the same with a secret that comes and goes: of each `holder` the last two are known. */
export const keepIssued = (holder: string, secret: Redacted.Redacted): void => {
  const text = Redacted.value(secret)
  const slot = issued.get(holder) ?? []
  if (slot[0]?.[0] === text) return
  issued.set(holder, [[text, allOf(text)] as const, ...slot.filter(([other]) => other !== text)].slice(0, issued_max))
  arrange()
}

const knownIn = (text: string): ReadonlyArray<Known> => longestFirst.filter(({ plainRun }) => text.includes(plainRun))

const without = (text: string, known: ReadonlyArray<Known>): string =>
  known.reduce((rest, each) => {
    each.pattern ??= secretPattern(each.text, each)
    return rest.replace(each.pattern, hidden)
  }, text)

/** A text without the secrets this process knows; those that are words are taken out where they stand alone. */
export const withoutSecrets = (text: string): string => without(text, knownIn(text))

/** A text in quotes, and whether it is the name of what follows. */
const inQuotes = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g

/**
 * The same for JSON, and for others that have names beside values in quotes, such as metrics: what is outside the values
 * stays as it is though a secret is a word like it, and JSON stays JSON. Secrets that are no words are nowhere.
 */
export const valuesWithoutSecrets = (text: string): string => {
  const known = knownIn(text)
  if (known.length === 0) return text
  const values = text.replace(inQuotes, (token: string, name: string | undefined) => {
    if (name !== undefined) return token
    const value = unquoted(token)
    if (value === undefined) return without(token, known)
    const clean = without(value, known)
    return clean === value ? token : JSON.stringify(clean)
  })
  return without(
    values,
    known.filter(({ isWord }) => !isWord)
  )
}

const unquoted = (token: string): string | undefined => {
  try {
    return String(JSON.parse(token))
  } catch {
    return undefined
  }
}
